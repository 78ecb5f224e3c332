import assert from "node:assert/strict";
import { join } from "node:path";
import { createLog, removeTextLog, TextLog } from "../../src/storage/text_log.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const isPosix = Deno.build.os !== "windows";

Deno.test("TextLog appends whole entries, none before the flush, for nobody else to read", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "made", "on", "demand", "a.log");
  await createLog(path, () => "first");
  const log = new TextLog(path);
  log.append("second\nthird");
  assert.equal(await Deno.readTextFile(path), "first\n");
  log.append("fourth");
  await Promise.all([log.flush(), log.flush()]);
  assert.equal(await Deno.readTextFile(path), "first\nsecond\nthird\nfourth\n");
  const modes = [path, join(directory.path, "made"), join(directory.path, "made", "on", "demand")]
    .map((name) => (Deno.statSync(name).mode ?? 0) & 0o777);
  if (isPosix) assert.deepEqual(modes, [0o600, 0o700, 0o700]);
  await assert.rejects(createLog(path, () => "again"), Deno.errors.AlreadyExists);
  assert.match(await Deno.readTextFile(path), /^first\n/);
});

Deno.test("F40: TextLog rotates above its size, keeps five older logs, and tears no entry", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "a.log");
  const log = new TextLog(path, { maxBytes: 100 });
  for (let number = 0; number < 60; number++) log.append(`${number} `.padEnd(19, "x"));
  log.append(`long ${"y".repeat(500)}`);
  log.append("last");
  await log.flush();
  const names = Array.from(Deno.readDirSync(directory.path), ({ name }) => name).sort();
  assert.deepEqual(names, ["a.log", "a.log.1", "a.log.2", "a.log.3", "a.log.4", "a.log.5"]);
  const texts = ["a.log", ...names.slice(1)].map((name) => Deno.readTextFileSync(join(directory.path, name)));
  assert.equal(texts[0], "last\n");
  assert.match(texts[1] ?? "", /^long y+\n$/);
  // Six lines of 20 bytes are the first that measure more than 100.
  for (const text of texts.slice(2)) assert.match(text, /^(\d+ x+\n){6}$/);
  if (isPosix) assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);

  await Deno.writeTextFile(join(directory.path, "b.log"), "");
  await removeTextLog(path);
  assert.deepEqual(Array.from(Deno.readDirSync(directory.path), ({ name }) => name), ["b.log"]);
});

Deno.test("TextLog keeps what cannot be written, makes its directory again, and gives up no entry early", async () => {
  await using directory = await tempDirectory();
  const place = join(directory.path, "logs");
  const log = new TextLog(join(place, "a.log"));
  await Deno.writeTextFile(place, "in the way");
  log.append("first");
  await assert.rejects(log.flush());
  const large = "x".repeat(9_000_000);
  log.append(large);
  log.append("too much");
  assert.equal(log.lostEntries, 1);
  await Deno.remove(place);
  await log.flush();
  log.append("second");
  await log.flush();
  assert.equal(await Deno.readTextFile(join(place, "a.log.1")), `first\n${large}\n`);
  assert.equal(await Deno.readTextFile(join(place, "a.log")), "second\n");
});
