/** The MCP bundles, made, validated, unpacked and configured by the official tool. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { makeMcpb, PACKER } from "../../.github/scripts/mcpb.ts";
import { TARGETS } from "../../.github/scripts/release_names.ts";
import { tools } from "../../src/tools/mod.ts";
import { installNodePrograms } from "../helpers/node_programs.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

interface Tool {
  readonly node: string;
  /** What `mcpb` is. */
  readonly program: string;
  /** Where its package can be imported. */
  readonly directory: string;
}

async function installTool(): Promise<Tool> {
  const { node, modules } = await installNodePrograms(PACKER.replaceAll(/[/@]/g, "-"), [PACKER]);
  return {
    node,
    program: join(modules, "@anthropic-ai", "mcpb", "dist", "cli", "cli.js"),
    directory: dirname(modules),
  };
}

async function run({ node, directory }: Tool, ...args: readonly string[]): Promise<[boolean, string]> {
  const { success, stdout, stderr } = await new Deno.Command(node, { args: [...args], cwd: directory, stdin: "null" })
    .output();
  return [success, [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("")];
}

for (const target of TARGETS) {
  Deno.test(`the official packer makes and opens the bundle for ${target}`, async () => {
    const tool = await installTool();
    await using directory = await tempDirectory();
    const program = join(directory.path, "program");
    await Deno.writeTextFile(program, `a program for ${target}`);
    const out = join(directory.path, "out");
    const file = await makeMcpb({ version: "1.2.3", target, program, out, packer: [tool.node, tool.program] });
    assert.deepEqual([file, namesIn(out)], [
      join(out, `codex-swarm-1.2.3-${target}.mcpb`),
      [`codex-swarm-1.2.3-${target}.mcpb`],
    ]);
    const opened = join(directory.path, "opened");
    const [isOpened, said] = await run(tool, tool.program, "unpack", file, opened);
    assert.ok(isOpened, said);
    const [isValid, judged] = await run(tool, tool.program, "validate", join(opened, "manifest.json"));
    assert.ok(isValid, judged);
    assert.deepEqual(namesIn(opened), ["LICENSE", "README.md", "manifest.json", "server"]);
    const { server: { entry_point: entryPoint } } = JSON.parse(
      await Deno.readTextFile(join(opened, "manifest.json")),
    );
    assert.equal(await Deno.readTextFile(join(opened, entryPoint)), `a program for ${target}`);
    if (Deno.build.os !== "windows") {
      assert.equal((Deno.statSync(join(opened, entryPoint)).mode ?? 0) & 0o777, 0o755);
    }
  });
}

Deno.test("makeMcpb() says what the packer said, and leaves no bundle", async () => {
  const tool = await installTool();
  await using directory = await tempDirectory();
  const out = join(directory.path, "out");
  const made = makeMcpb({
    version: "1.2.3",
    target: "linux-x64",
    program: tool.program,
    out,
    packer: [tool.node, "--eval", "console.error('no'); process.exit(1)"],
  });
  await assert.rejects(made, { message: "Cannot make codex-swarm-1.2.3-linux-x64.mcpb: no" });
  assert.deepEqual(namesIn(directory.path), []);
});

Deno.test("makeMcpb() refuses what the packer has changed", async () => {
  const tool = await installTool();
  const pack = async (change: string): Promise<string> => {
    await using directory = await tempDirectory();
    const packer = `const [pack, inside, file] = process.argv.slice(1); const fs = require("node:fs"); ${change};
      require("node:child_process").execFileSync(process.execPath, [${
      JSON.stringify(tool.program)
    }, pack, inside, file])`;
    const out = join(directory.path, "out");
    return await makeMcpb({
      version: "1.2.3",
      target: "linux-x64",
      program: tool.program,
      out,
      packer: [tool.node, "--eval", packer],
    }).then(() => "packed", (error: Error) => error.message);
  };
  assert.equal(await pack(""), "packed");
  assert.match(
    await pack("fs.appendFileSync(inside + '/server/codex-swarm', ' ')"),
    /: server\/codex-swarm is not what/,
  );
  assert.match(await pack("fs.writeFileSync(inside + '/index.js', '')"), /: index\.js is not what was to be packed/);
  assert.match(await pack("fs.chmodSync(inside + '/server/codex-swarm', 0o644)"), /: server\/codex-swarm is not what/);
  assert.match(await pack("fs.rmSync(inside + '/LICENSE')"), /: LICENSE is not what/);
});

/** As a client makes the server's configuration of a manifest and of what a person has filled in. */
async function configure(userConfig: Readonly<Record<string, unknown>>): Promise<Record<string, string>> {
  const tool = await installTool();
  await using directory = await tempDirectory();
  const file = await makeMcpb({
    version: "1.2.3",
    target: "linux-x64",
    program: tool.program,
    out: directory.path,
    packer: [tool.node, tool.program],
  });
  await run(tool, tool.program, "unpack", file, join(directory.path, "opened"));
  const [success, said] = await run(
    tool,
    "--input-type=module",
    "--eval",
    `import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
     import { readFileSync } from "node:fs";
     const [path, userConfig] = process.argv.slice(1);
     const manifest = JSON.parse(readFileSync(path, "utf8"));
     const options = { manifest, extensionPath: "/opened", systemDirs: {}, userConfig: JSON.parse(userConfig), pathSeparator: "/" };
     console.log(JSON.stringify(await getMcpConfigForManifest(options)));`,
    join(directory.path, "opened", "manifest.json"),
    JSON.stringify(userConfig),
  );
  assert.ok(success, said);
  const { command, args, env } = JSON.parse(said);
  assert.deepEqual([command, args], ["/opened/server/codex-swarm", []]);
  return env;
}

/** A server with the environment of a bundle, but the Codex and the state directory that the harness names by flags. */
function startConfigured(env: Readonly<Record<string, string>>): Promise<Swarm> {
  return startSwarm({ env: { ...env, CODEX_SWARM_CODEX: "", CODEX_SWARM_STATE_DIR: "" } });
}

Deno.test("a bundle starts the server when nothing was filled in, with a bound on sandboxes", async () => {
  const env = await configure({});
  assert.deepEqual([env["CODEX_SWARM_CODEX"], env["CODEX_SWARM_STATE_DIR"], env["CODEX_SWARM_ROOT"]], ["", "", ""]);
  await using swarm = await startConfigured(env);
  const { structured, isError } = await swarm.call("codex", { prompt: "fake:say(hello)" });
  assert.deepEqual([structured.content, isError], ["hello", false]);
  const refused = await swarm.call("codex", { prompt: "fake:say(hello)", sandbox: "danger-full-access" });
  assert.ok(refused.isError);
  assert.match(refused.text, /--max-sandbox/);
});

Deno.test("a bundle passes on what was filled in", async () => {
  await using directory = await tempDirectory();
  const filled = { codex: "/c", max_concurrent: 3, max_sandbox: "read-only", root: directory.path, read_only: true };
  const env = await configure({ ...filled, task_timeout: "1h", state_dir: "/s" });
  assert.deepEqual(env, {
    CODEX_SWARM_CODEX: "/c",
    CODEX_SWARM_MAX_CONCURRENT: "3",
    CODEX_SWARM_MAX_SANDBOX: "read-only",
    CODEX_SWARM_ROOT: directory.path,
    CODEX_SWARM_READ_ONLY: "true",
    CODEX_SWARM_TASK_TIMEOUT: "1h",
    CODEX_SWARM_STATE_DIR: "/s",
  });
  await using swarm = await startConfigured(env);
  const { tools: listed } = await swarm.client.listTools();
  const reading = tools.filter(({ effect }) => effect === "read").map(({ name }) => name);
  assert.deepEqual(listed.map(({ name }) => name), reading);
});
