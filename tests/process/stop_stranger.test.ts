import assert from "node:assert/strict";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { shimYard, type YardRun } from "../helpers/shim_yard.ts";

const ignore = Deno.build.os === "windows";

/** Fields of the process file, by their place. */
const AGENT_START = 4;
const BOOT_ID = 5;

/** Copies the process file of a run, one field changed, as a task that was left behind may have it: its pid is now another's. */
function forge(run: YardRun, directory: string, changes: Readonly<Record<number, string>>): void {
  const fields = Deno.readTextFileSync(join(run.directory, "process")).trimEnd().split(" ");
  for (const [place, value] of Object.entries(changes)) fields[Number(place)] = value;
  Deno.writeTextFileSync(join(directory, "process"), `${fields.join(" ")}\n`);
}

for (
  const { name, changes, isSpared } of [
    { name: "with another start time", changes: { [AGENT_START]: "12345" }, isSpared: true },
    { name: "of another boot", changes: { [BOOT_ID]: "00000000-0000-4000-8000-000000000000" }, isSpared: true },
    { name: "that it really is (control)", changes: {}, isSpared: false },
  ]
) {
  Deno.test({ name: `F7: a stop ${isSpared ? "spares" : "ends"} a process ${name}`, ignore }, async () => {
    await using yard = await shimYard();
    const stranger = yard.start("exec sleep 1000");
    const { agent } = await stranger.pids();
    const directory = yard.directory();
    forge(stranger, directory, changes);
    await yard.stop(directory, "cancelled");
    assert.equal(await isAlive(agent), isSpared);
  });
}

Deno.test({ name: "a stop spares everybody when the process file is half written", ignore }, async () => {
  await using yard = await shimYard();
  const stranger = yard.start("exec sleep 1000");
  const { agent } = await stranger.pids();
  const directory = yard.directory();
  const line = Deno.readTextFileSync(join(stranger.directory, "process")).trimEnd();
  Deno.writeTextFileSync(join(directory, "process"), line);
  await yard.stop(directory, "cancelled");
  assert.ok(await isAlive(agent));
});

Deno.test({ name: "a stop of a run that has ended signals nobody", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exit 0");
  await run.ended;
  await yard.stop(run.directory, "cancelled");
  assert.equal(Deno.readTextFileSync(join(run.directory, "exit")), "1 0\n");
});
