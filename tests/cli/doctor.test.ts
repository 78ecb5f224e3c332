import assert from "node:assert/strict";
import { join } from "node:path";
import { type DoctorOptions, runDoctor } from "../../src/cli/doctor.ts";
import type { Log } from "../../src/log.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";
const NO_LOG: Log = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };

interface Visit {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** Runs doctor in a directory of its own; its lines are without that directory's path. */
async function visit(
  directory: string,
  options: Partial<DoctorOptions> & Pick<DoctorOptions, "env">,
): Promise<Visit> {
  let text = "";
  const stateDir = options.stateDir ?? join(directory, "state");
  const exitCode = await runDoctor({
    version: "1.2.3",
    agentEnv: {},
    home: join(directory, "home"),
    stateDir,
    tasksDir: join(stateDir, "tasks"),
    worktreesDir: join(stateDir, "worktrees"),
    logFile: join(stateDir, "logs", "codex-swarm.log"),
    cacheFile: join(directory, "cache", "codex.json"),
    warnings: [],
    log: NO_LOG,
    write: (part) => text += part,
    ...options,
  });
  return { exitCode, lines: text.trimEnd().replaceAll(directory, "").split("\n") };
}

function starting(visit: Visit, start: string): readonly string[] {
  const at = visit.lines.findIndex((line) => line.startsWith(start));
  return at === -1 ? [] : visit.lines.slice(at, at + 2);
}

Deno.test({ name: "runDoctor() finds all that agents need and leaves nothing behind", ignore }, async () => {
  await using temp = await tempDirectory();
  await using codex = await installFakeCodex();
  const { PATH = "" } = Deno.env.toObject();
  const result = await visit(temp.path, { env: { PATH }, codexPath: codex.path });
  const machine = /^(ok {7}|warning {2})(git |Locks: )/;
  assert.deepEqual({ ...result, lines: result.lines.filter((line) => !machine.test(line)) }, {
    exitCode: 0,
    lines: [
      "codex-swarm 1.2.3",
      "",
      `ok       Codex 0.169.0 at ${codex.path}, found in --codex`,
      "ok       Signed in: API key configured - fake-***key",
      "ok       Shell /bin/sh",
      "ok       State directory /state",
      "Agents can start.",
    ],
  });
  await assert.rejects(Deno.stat(join(temp.path, "state")), Deno.errors.NotFound);
});

Deno.test({ name: "runDoctor() only warns when Codex is not signed in", ignore }, async () => {
  await using temp = await tempDirectory();
  await using codex = await installFakeCodex();
  const { PATH = "" } = Deno.env.toObject();
  const agentEnv = { CODEX_HOME: join(temp.path, "empty") };
  const result = await visit(temp.path, { env: { PATH }, agentEnv, codexPath: codex.path });
  assert.equal(result.exitCode, 0);
  assert.deepEqual(starting(result, "warning  Codex"), [
    "warning  Codex is not signed in: Not logged in",
    "         Run `codex login`, or set CODEX_API_KEY. A model provider of your own in config.toml may need neither.",
  ]);
});

Deno.test({ name: "runDoctor() tells how to get a Codex where there is none", ignore }, async () => {
  await using temp = await tempDirectory();
  const result = await visit(temp.path, { env: { PATH: "/usr/bin:/bin" }, codexPath: join(temp.path, "codex") });
  assert.equal(result.exitCode, 1);
  assert.deepEqual(starting(result, "problem"), [
    "problem  Cannot use --codex /codex: there is no such file.",
    "         Install it with `npm install -g @openai/codex`, or name it with --codex PATH.",
  ]);
  assert.equal(result.lines.at(-1), "No agent can start: 1 problem.");
});

Deno.test({ name: "runDoctor() tells how to update a Codex that is too old", ignore }, async () => {
  await using temp = await tempDirectory();
  await using codex = await installFakeCodex();
  const env = { PATH: Deno.env.get("PATH") ?? "", FAKE_CODEX_VERSION: "0.40.0" };
  const result = await visit(temp.path, { env, codexPath: codex.path });
  assert.equal(result.exitCode, 1);
  assert.deepEqual(starting(result, "problem"), [
    `problem  Cannot use this Codex: found 0.40.0 at ${codex.path}, 0.46 or newer is needed.`,
    "         Update it with `npm install -g @openai/codex@latest`, or name another with --codex PATH.",
  ]);
});

Deno.test({ name: "runDoctor() names the flags that Codex does not have", ignore }, async () => {
  await using temp = await tempDirectory();
  const codexPath = join(temp.path, "codex");
  const script = `case "$*" in
    --version) echo "codex-cli 0.50.0" ;;
    "exec --help") printf 'Options:\\n  -C, --cd <D>\\n  -s, --sandbox <S>\\n  -p, --profile <P>\\n  -m, --model <M>
      --image <F>\\n      --output-schema <F>\\n      --skip-git-repo-check\\n      --json\\n' ;;
    "login status") echo "Logged in using ChatGPT" ;;
  esac`;
  writeExecutable(codexPath, `#!/bin/sh\n${script}\n`);
  const result = await visit(temp.path, { env: { PATH: "/usr/bin:/bin" }, codexPath });
  assert.equal(result.exitCode, 0);
  assert.deepEqual(result.lines.filter((line) => / has no /.test(line)), [
    "warning  `codex exec` has no --add-dir, which the parameter add-dirs needs",
    "warning  `codex exec` has no --ephemeral, which the flag --ephemeral needs",
    "warning  Codex has no `exec resume`, so that threads cannot be continued",
  ]);
});

Deno.test({ name: "runDoctor() refuses a state directory that cannot be written", ignore }, async () => {
  await using temp = await tempDirectory();
  await using codex = await installFakeCodex();
  await Deno.writeTextFile(join(temp.path, "file"), "");
  const { PATH = "" } = Deno.env.toObject();
  const stateDir = join(temp.path, "file", "state");
  const result = await visit(temp.path, { env: { PATH }, codexPath: codex.path, stateDir });
  assert.equal(result.exitCode, 1);
  const [problem = "", fix] = starting(result, "problem");
  assert.match(problem, /^problem {2}State directory \/file\/state cannot be written: /);
  assert.equal(fix, "         Make it writable, or choose another with --state-dir DIR.");
});

Deno.test({ name: "runDoctor() passes on what was odd about flags and variables", ignore }, async () => {
  await using temp = await tempDirectory();
  const result = await visit(temp.path, {
    env: { PATH: "" },
    codexPath: "/missing/codex",
    stateDir: "",
    warnings: ["Ignored the unknown variable CODEX_SWARM_X."],
  });
  assert.equal(result.exitCode, 1);
  assert.deepEqual(starting(result, "problem  The state"), [
    "problem  The state directory is unknown",
    "         Set HOME, or --state-dir DIR.",
  ]);
  assert.ok(result.lines.includes("warning  Ignored the unknown variable CODEX_SWARM_X."));
  assert.deepEqual(starting(result, "warning  git"), [
    "warning  git was not found in PATH: agents may miss it; codex-swarm runs it for nothing else than this line yet",
    "         Install git, or add its folder to PATH.",
  ]);
});

Deno.test({ name: "runDoctor() says by what runs are told to live, with flock and without", ignore }, async () => {
  await using temp = await tempDirectory();
  const look = async (): Promise<readonly string[]> => {
    const { lines } = await visit(temp.path, { env: { PATH: temp.path }, codexPath: "/missing/codex" });
    return lines.filter((line) => line.includes("ocks") || line.includes("flock"));
  };
  assert.deepEqual(await look(), ["ok       Locks: by process id and start time, since flock(1) was not found"]);
  writeExecutable(join(temp.path, "flock"), "#!/bin/sh\n");
  assert.deepEqual(await look(), ["ok       Locks: by /flock"]);
});
