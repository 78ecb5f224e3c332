/** What README and the papers beside it say is held against the sources: tables, examples, links, names, commands. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseToml } from "smol-toml";
import { archiveName, REPOSITORY, TARGETS, VERSION } from "../.github/scripts/release_names.ts";
import { RUN_FLAGS } from "../.github/scripts/run_flags.ts";
import { updateReadme } from "../.github/scripts/update_readme.ts";
import manifest from "../deno.json" with { type: "json" };
import { flagEntries } from "../src/config/flags.ts";
import { MARKERS, VARIABLES } from "../src/config/variables.ts";
import { readTree } from "./helpers/directory_tree.ts";
import { startSwarm } from "./helpers/swarm.ts";
import { startTask, waitForStatus, waitForTask } from "./helpers/tasks.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PAPERS = ["README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md", ".github/SECURITY.md"];

function read(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

/** The code blocks of one language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language)
    .map(([, , code]) => code ?? "");
}

/** The anchors that a paper's headings make, by GitHub's rule. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? "");
  return new Set(
    headings.map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")),
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}

Deno.test("README's tables are those of the sources", () => {
  const readme = read("README.md");
  assert.equal(readme, updateReadme(readme), "run `deno task update`");
});

Deno.test("README names every resource, flag and variable", () => {
  const readme = read("README.md");
  const uris = [...read("src/server/resources.ts").matchAll(/codex-swarm:\/\/\/[a-z-]+/g)].map(([uri]) => uri);
  const names = [
    ...uris,
    ...flagEntries().flatMap(([name, { variable }]) => [`--${name}`, ...(variable === undefined ? [] : [variable])]),
    ...Object.keys(VARIABLES),
    ...MARKERS,
  ];
  assert.equal(uris.length, 3);
  assert.deepEqual(names.filter((name) => !readme.includes(name)), []);
});

Deno.test("the papers' JSON and TOML can be read", () => {
  for (const paper of PAPERS) {
    for (const json of blocks(read(paper), "json")) JSON.parse(json);
    for (const toml of blocks(read(paper), "toml")) parseToml(toml);
  }
});

Deno.test("every configuration in README starts the server as deno.json does", () => {
  const readme = read("README.md");
  const start = ["npx", "-y", "deno@2.9.6", "run", ...RUN_FLAGS, "/path/to/codex-swarm/main.ts"];
  const first = (value: unknown): unknown => Object.values(Object(value)).at(0);
  const entries = [
    ...blocks(readme, "json").map((json) => JSON.parse(json)),
    ...blocks(readme, "toml").map((toml) => parseToml(toml)),
  ];
  const servers = entries.map((config) => Object(first(first(config))));
  const program = { type: "stdio", command: "/home/you/.local/bin/codex-swarm", args: [] };
  assert.deepEqual(servers.filter(({ command }) => command === program.command), [program]);
  const started = servers.filter(({ type, command }) => type !== "http" && command !== program.command);
  for (const { command, args } of started) assert.deepEqual([command, ...args].slice(0, start.length), start);
  assert.equal(started.length, 4);
  assert.deepEqual(servers.flatMap(({ url }) => url ?? []), ["http://127.0.0.1:7077/mcp"]);
  const commands = blocks(readme, "sh").flatMap((code) => code.split("\n")).filter((line) =>
    line.includes(" mcp add ")
  );
  assert.equal(commands.length, 2);
  for (const command of commands) assert.ok(command.endsWith(` -- ${start.join(" ")}`), command);
  for (const flag of RUN_FLAGS) assert.ok(readme.includes(`| \`${flag}\``), `${flag} is not explained`);
});

Deno.test("README's downloads are those of a release", () => {
  const readme = read("README.md");
  const owner = dirname(REPOSITORY);
  const elsewhere = [REPOSITORY, `${owner}/scoop-bucket`, "https://github.com/openai/codex"];
  const addresses = [...readme.matchAll(/https:\/\/github\.com\/[\w-]+\/[\w-]+/g)].map(([address]) => address);
  assert.deepEqual([...new Set(addresses)].sort(), elsewhere.sort());
  const [, archives = ""] = /has an archive for each of\s(.*?), and/s.exec(readme) ?? [];
  assert.deepEqual(archives.match(/[\w-]+(?=`)/g), TARGETS);
  const named = readme.match(/codex-swarm-\d[\w.-]*\w/g);
  assert.deepEqual([...new Set(named)], [archiveName(VERSION, "linux-x64")]);
  const scripts = [...readme.matchAll(/releases\/latest\/download\/([\w.]+)/g)].map(([, name]) => name);
  assert.deepEqual(scripts, ["install.sh", "install.ps1"]);
  // That the release has them, tests/release/workflow.test.ts holds.
  for (const name of scripts) assert.ok(exists(`.github/packaging/${name}`), name);
});

Deno.test("the papers' relative links lead somewhere", () => {
  const broken = PAPERS.flatMap((paper) => {
    const links = [...read(paper).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? "");
    return links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? paper : join(dirname(paper), path);
      return !exists(target) || (anchor !== undefined && !anchors(read(target)).has(anchor));
    }).map((link) => `${paper}: ${link}`);
  });
  assert.deepEqual(broken, []);
});

Deno.test("the papers name files and tasks that exist", () => {
  const missing = PAPERS.flatMap((paper) => {
    const text = read(paper);
    const files = [...text.matchAll(/`((?:src|tests|\.github)\/[\w./-]+)`/g)].map(([, path]) => path ?? "");
    const tasks = [...text.matchAll(/(?:deno|deno@2\.9\.6) task ([a-z:]+)/g)].map(([, task]) => task ?? "");
    return [...files.filter((path) => !exists(path)), ...tasks.filter((task) => !Object.hasOwn(manifest.tasks, task))]
      .map((name) => `${paper}: ${name}`);
  });
  assert.deepEqual(missing, []);
});

Deno.test("README's table names every file of the state directory that tasks and their scripts make", async () => {
  const [, table = ""] = read("README.md").split("| In the state directory");
  const names = [...(table.split("\n\n")[0] ?? "").matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell]) => {
    const [first = "", ...others] = [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");
    return [first, ...others.map((name) => name.endsWith("/") ? name : `${dirname(first)}/${name}`)];
  });
  const patterns = names.map((name) => {
    const words = name.replace(/^\.\//, "").replaceAll(".", "\\.").replaceAll("*", "[0-9a-f]+");
    const path = words.replace("<id>", "[0-9a-f]{8}").replace("_N", "_\\d+").replace(/\/$/, "/.+");
    return new RegExp(`^${path}$`);
  });
  await using swarm = await startSwarm({ args: ["--log-level", "INFO"] });
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)", {
    "base-instructions": "Be brief.",
    "output-schema": { type: "object" },
  });
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  await swarm.call("codex_reply", { threadId, prompt: "fake:say({})", when: "now" });
  await waitForStatus(swarm, id, "completed");
  const scripts = `${read("src/process/shim.sh")}${read("src/process/keeper.sh")}`;
  const noted = [...scripts.matchAll(/\$dir\/([a-z]+(?:\.[a-z]+)?)|^ +trim ([a-z.]+) ([a-z.]+) /gm)]
    .flatMap(([, ...names]) => names.filter((name) => name !== undefined)).map((name) => `tasks/${id}/${name}`);
  const made = [...readTree(swarm.stateDir).keys()].filter((path) => !path.endsWith("/"));
  const files = [...made, ...noted];
  for (const name of ["prompt_1.txt", "owner", "events.dropped"]) {
    assert.ok(files.includes(`tasks/${id}/${name}`), name);
  }
  const isTold = (file: string): boolean => patterns.some((pattern) => pattern.test(file));
  assert.deepEqual(files.filter((file) => !isTold(file)), []);
});

/** The commands of README's design choices that need nothing but a checkout and a POSIX shell. */
function checks(): string[] {
  const [, choices = ""] = read("README.md").split("## Design choices");
  return [...choices.matchAll(/^\| [^|]+ \| `([^`]+)`/gm)].map(([, code]) => (code ?? "").replaceAll("\\|", "|"))
    .filter((code) => !code.includes("doctor"));
}

Deno.test({
  name: "README's design choices can be checked by their commands",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    const commands = checks();
    assert.equal(commands.length, 10);
    const PATH = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
    for (const command of commands) {
      const { success, stderr } = await new Deno.Command("/bin/sh", {
        args: ["-c", command],
        cwd: ROOT,
        env: { PATH },
        stdin: "null",
      }).output();
      assert.ok(success, `${command}\n${new TextDecoder().decode(stderr)}`);
    }
  },
});
