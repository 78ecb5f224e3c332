/** Compiles the program, with `DENORT_BIN` and `DENO_COMPILE` if they are set, and runs it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundle } from "../../.github/scripts/bundle.ts";
import { compile } from "../../.github/scripts/compile.ts";
import { smoke } from "../bundle/smoke.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("the compiled program does what its sources do", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "codex-swarm.js");
  const program = join(directory.path, "codex-swarm");
  await bundle(file);
  await compile({ bundle: file, output: program });
  const executable = Deno.build.os === "windows" ? `${program}.exe` : program;
  await smoke([executable]);
  const { code } = await new Deno.Command(executable, {
    args: ["install", "claude-code"],
    cwd: directory.path,
    stdin: "null",
    stdout: "null",
  }).output();
  const { mcpServers } = JSON.parse(await Deno.readTextFile(join(directory.path, ".mcp.json")));
  assert.deepEqual([code, mcpServers["codex-swarm"]], [0, { type: "stdio", command: executable, args: [] }]);
});
