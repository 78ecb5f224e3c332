import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { RUN_FLAGS } from "../../../.github/scripts/run_flags.ts";
import { addedArguments, ownCommand } from "../../../src/cli/install/own_program.ts";
import { clientYard, COMPILED, FROM_SOURCE, readText } from "../../helpers/client_yard.ts";
import { tempDirectory } from "../../helpers/temp_directory.ts";

Deno.test("ownCommand() runs the sources by the flags of deno.json, and a compiled program as it is", async () => {
  assert.deepEqual(await ownCommand(FROM_SOURCE), {
    kind: "stdio",
    command: "/opt/deno",
    args: ["run", ...RUN_FLAGS, "/src/main.ts"],
  });
  assert.deepEqual(await ownCommand(COMPILED), { kind: "stdio", command: "/opt/swarm/codex-swarm", args: [] });
  await assert.rejects(ownCommand({ ...FROM_SOURCE, script: undefined }), { name: "InstallError" });
});

Deno.test({
  name: "ownCommand() prefers a link in PATH, which outlives the version that it leads to",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using temp = await tempDirectory();
  const execPath = join(temp.path, "Cellar", "1.2.3", "codex-swarm");
  await Deno.mkdir(join(temp.path, "Cellar", "1.2.3"), { recursive: true });
  await Deno.mkdir(join(temp.path, "bin"));
  await Deno.writeTextFile(execPath, "");
  const searchPath = ["", ".", join(temp.path, "none"), join(temp.path, "bin")].join(delimiter);
  assert.equal((await ownCommand({ ...COMPILED, execPath, searchPath })).command, execPath);
  await Deno.symlink(execPath, join(temp.path, "bin", "codex-swarm"));
  assert.equal(
    (await ownCommand({ ...COMPILED, execPath, searchPath })).command,
    join(temp.path, "bin", "codex-swarm"),
  );
});

Deno.test("addedArguments() gives what stands behind the program, however it is started", () => {
  assert.deepEqual(addedArguments("/old/codex-swarm", ["--max-wait", "55m"]), ["--max-wait", "55m"]);
  assert.deepEqual(addedArguments("C:\\x\\codex-swarm.exe", ["-c", "a=1"]), ["-c", "a=1"]);
  assert.deepEqual(addedArguments("npx", ["-y", "deno@1", "run", "--x", "/p/main.ts", "-c", "a=1"]), ["-c", "a=1"]);
  assert.deepEqual(addedArguments("deno", ["run", "C:\\p\\codex-swarm.js"]), []);
  assert.deepEqual(addedArguments("uvx", ["codex-mcp-swarm", "-c", "a=1"]), []);
  assert.deepEqual(addedArguments(undefined, undefined), []);
});

Deno.test("install keeps the arguments that a user has added, from one version of the program to the next", async () => {
  await using yard = await clientYard();
  for (const client of ["claude-code", "codex"]) {
    await yard.install(client, { program: FROM_SOURCE });
    const path = yard.file(client);
    await Deno.writeTextFile(
      path,
      (await readText(path)).replace('"/src/main.ts"', '"/src/main.ts", "--max-wait", "55m"'),
    );
    const again = await yard.install(client, { program: FROM_SOURCE });
    assert.match(again.output, /already: nothing to do/);
    const { output } = await yard.install(client);
    assert.match(output, /^Changed codex-swarm in \S+\.\nKept the arguments that somebody has added: --max-wait 55m\n/);
    assert.match(await readText(path), /"--max-wait",\s+"55m"\s*\]/);
    assert.doesNotMatch(await readText(path), /main\.ts/);
  }
});
