import assert from "node:assert/strict";
import { join } from "node:path";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("readStopReason() takes a stop without a reason for a cancelled one", async () => {
  await using temp = await tempDirectory();
  assert.equal(await readStopReason(temp.path), null);
  const path = join(temp.path, "stop");
  for (const text of ["", "\n", "time"]) {
    Deno.writeTextFileSync(path, text);
    assert.equal(await readStopReason(temp.path), "cancelled");
  }
  Deno.writeTextFileSync(path, "timeout\n");
  assert.equal(await readStopReason(temp.path), "timeout");
});

Deno.test("readStopReason() waits for a reason that is just being written", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "stop");
  Deno.writeTextFileSync(path, "");
  const reason = readStopReason(temp.path);
  Deno.writeTextFileSync(path, "timeout\n");
  assert.equal(await reason, "timeout");
});

Deno.test(
  { name: "a stop without a reason keeps an agent from its start as well", ignore: Deno.build.os === "windows" },
  async () => {
    await using yard = await shimYard();
    const directory = yard.directory();
    Deno.writeTextFileSync(join(directory, "stop"), "");
    const run = yard.start("echo started", { directory });
    await run.ended;
    assert.deepEqual([run.output(), (await readExit(directory, 1))?.exitCode], ["", null]);
    assert.equal(await readStopReason(directory), "cancelled");
  },
);
