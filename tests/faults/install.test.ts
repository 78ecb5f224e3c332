/** Disks that take nothing, and others who write at the same time. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "smol-toml";
import { clientYard, readText, RUNNING, USUAL } from "../helpers/client_yard.ts";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";
import { namesIn } from "../helpers/temp_directory.ts";

const BEFORE = "# mine\nmodel = 'x'\n";

Deno.test({ name: "a disk that takes nothing leaves a client's file as it was", ignore: !CAN_MOUNT }, async () => {
  await using yard = await clientYard();
  await using disk = await smallDisk();
  const file = join(disk.path, "config.toml");
  const machine = { ...yard.machine, codexHome: disk.path };
  await Deno.writeTextFile(file, BEFORE);
  const check = async (reason: RegExp): Promise<void> => {
    for (const told of [await yard.install("codex", { machine }), await yard.install("codex", { machine })]) {
      assert.equal(told.exitCode, 1);
      assert.match(told.error, reason);
      assert.match(told.error, /Nothing was written\. To do it by hand, add:\n\n\[mcp_servers\.codex-swarm\]/);
    }
    assert.equal(await readText(file), BEFORE);
    assert.deepEqual(namesIn(disk.path).filter((name) => !name.startsWith("filler")), ["config.toml"]);
  };
  await disk.setReadOnly(true);
  await check(/it cannot be written: Read-only file system/);
  await disk.setReadOnly(false);
  for (const what of ["bytes", "inodes"] as const) {
    await disk.fill(what);
    await check(/it cannot be written: No space left on device/);
    await disk.clear();
  }
  assert.equal((await yard.install("codex", { machine })).exitCode, 0);
  assert.equal(await readText(`${file}.codex-swarm-backup`), BEFORE);
});

Deno.test({
  name: "a file that root changes stays its owner's, and so does its backup",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
}, async () => {
  await using yard = await clientYard();
  const path = await yard.write("codex", BEFORE);
  await Deno.chown(path, 65_534, 65_533);
  assert.equal((await yard.install("codex")).exitCode, 0);
  for (const file of [path, `${path}.codex-swarm-backup`]) {
    const { uid, gid } = await Deno.stat(file);
    assert.deepEqual([uid, gid], [65_534, 65_533]);
  }
});

Deno.test("many who install at the same time leave a whole file, and every backup is one that was whole", async () => {
  await using yard = await clientYard();
  const path = await yard.write("codex", BEFORE);
  const ways = [{}, { address: USUAL, endpoints: [RUNNING] }];
  const told = await Promise.all(Array.from({ length: 20 }, (_, index) => yard.install("codex", ways[index % 2])));
  for (const { exitCode, error } of told) {
    if (exitCode !== 0) assert.match(error, /it was changed by another program meanwhile; run this again/);
  }
  const texts = await Promise.all(
    namesIn(join(path, "..")).map((name) => readText(join(path, "..", name))),
  );
  for (const text of texts) assert.deepEqual(parse(text)["model"], "x");
  assert.equal((await yard.uninstall("codex")).exitCode, 0);
  assert.equal(await readText(path), BEFORE);
});
