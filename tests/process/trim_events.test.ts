/** How the middle of a large event file is dropped while its agent writes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { trimEvents } from "../../src/process/keeper.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { type ShimYard, shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Elsewhere files are not trimmed.
const ignore = Deno.build.os !== "linux";
const MIB = 2 ** 20;
const CAP = MIB;
const LINE = 100;

/** So many bytes of lines that each tell their number. */
function lines(bytes: number, from = 0): string {
  const count = Math.ceil(bytes / LINE);
  return Array.from({ length: count }, (_, index) => `${String(from + index).padStart(LINE - 1, "0")}\n`).join("");
}

async function keptBytes(path: string): Promise<number> {
  return ((await Deno.stat(path)).blocks ?? 0) * 512;
}

async function readMark(directory: string): Promise<{ readonly from: number; readonly to: number }> {
  const text = await Deno.readTextFile(join(directory, "events.dropped"));
  const match = /^(\d+) (\d+)\n$/.exec(text);
  assert.ok(match !== null, text);
  return { from: Number(match[1]), to: Number(match[2]) };
}

async function trim(yard: ShimYard, directory: string): Promise<void> {
  await trimEvents(yard.keeper, { directory, maxBytes: CAP });
}

Deno.test({ name: "trimEvents() drops the middle, says which bytes, and goes on where it was", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  const path = join(directory, "events.jsonl");
  const text = lines(3 * MIB);
  await Deno.writeTextFile(path, text);
  await trim(yard, directory);
  const mark = await readMark(directory);
  assert.deepEqual(mark, { from: MIB / 4, to: Math.floor((text.length - MIB / 2) / 4096) * 4096 });
  const kept = await Deno.readTextFile(path);
  assert.equal(kept, text.slice(0, mark.from) + "\0".repeat(mark.to - mark.from) + text.slice(mark.to));
  assert.ok(await keptBytes(path) <= CAP);

  // Below the cap again: what is dropped does not count.
  await Deno.writeTextFile(path, lines(MIB / 8), { append: true });
  await trim(yard, directory);
  assert.deepEqual(await readMark(directory), mark);

  const more = lines(MIB);
  await Deno.writeTextFile(path, more, { append: true });
  await trim(yard, directory);
  const later = await readMark(directory);
  assert.equal(later.from, mark.from);
  assert.ok(later.to > mark.to);
  assert.ok(await keptBytes(path) <= CAP);
  assert.ok((await Deno.readTextFile(path)).endsWith(more.slice(-MIB / 4)));
});

Deno.test({ name: "trimEvents() leaves a file alone that is not too large, or not there", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  await trim(yard, directory);
  await Deno.writeTextFile(join(directory, "events.jsonl"), lines(CAP - LINE));
  await trim(yard, directory);
  assert.deepEqual(Array.from(Deno.readDirSync(directory), ({ name }) => name).sort(), ["events.jsonl", "prompt.txt"]);
});

Deno.test({ name: "trimEvents() leaves a file alone while another one is at it", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  const path = join(directory, "events.jsonl");
  await Deno.writeTextFile(path, lines(2 * MIB));
  {
    using file = await Deno.open(path, { write: true });
    assert.ok(await file.tryLock(true));
    await trim(yard, directory);
    assert.ok(await keptBytes(path) > CAP);
    await file.unlock();
  }
  await trim(yard, directory);
  assert.ok(await keptBytes(path) <= CAP);
});

Deno.test({ name: "trimEvents() does nothing where no hole can be made", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  const text = lines(2 * MIB);
  await Deno.writeTextFile(join(directory, "events.jsonl"), text);
  const bin = yard.pathOf("mv", "rm", "wc");
  await trimEvents({ ...yard.keeper, env: { PATH: bin } }, { directory, maxBytes: CAP });
  // As a file system that knows no holes has it.
  writeExecutable(join(bin, "fallocate"), "#!/bin/sh\nexit 1\n");
  await trimEvents({ ...yard.keeper, env: { PATH: bin } }, { directory, maxBytes: CAP });
  assert.equal(await Deno.readTextFile(join(directory, "events.jsonl")), text);
  assert.deepEqual(Array.from(Deno.readDirSync(directory), ({ name }) => name).sort(), ["events.jsonl", "prompt.txt"]);
});

Deno.test({ name: "a shim trims what its agent writes, which takes no notice", ignore }, async () => {
  await using yard = await shimYard();
  await Deno.writeTextFile(join(yard.path, "lines"), lines(2 * MIB));
  const script = yard.changedScript({ "first=1 slice=60": "first=0 slice=1" });
  const wait = (name: string): string => `until [ -e ${name} ]; do sleep 0.02; done`;
  const run = yard.start(`cat lines; echo first; ${wait("go")}; cat lines; echo second; ${wait("end")}; exit 3`, {
    maxEventBytes: CAP,
    script,
  });
  const path = join(run.directory, "events.jsonl");
  await waitFor(() => readMark(run.directory), { message: "the shim to trim" });
  const first = await readMark(run.directory);
  assert.ok(run.output().endsWith("first\n"));
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await waitFor(async () => (await readMark(run.directory)).to > first.to && await keptBytes(path) <= CAP, {
    message: "the shim to trim again",
  });
  Deno.writeTextFileSync(join(yard.path, "end"), "");
  await run.ended;
  assert.equal((await Deno.stat(path)).size, 2 * lines(2 * MIB).length + "first\nsecond\n".length);
  assert.ok(run.output().endsWith("second\n"));
  assert.equal(await Deno.readTextFile(join(run.directory, "exit")), "1 3\n");
});

Deno.test({ name: "a shim trims again only when much has come since, whatever is still there", ignore }, async () => {
  await using yard = await shimYard();
  await Deno.writeTextFile(join(yard.path, "lines"), lines(2 * MIB));
  const script = yard.changedScript({
    "first=1 slice=60": "first=0 slice=1",
    "look_after() {": 'look_after() {\n  until [ -e "$dir/ready" ]; do sleep 0.02; done\n  echo look >>"$dir/looks"',
    "trim)": 'trim)\n  echo trim >>"$2/trims"',
  });
  const run = yard.start("cat lines; echo done; exec sleep 1000", { maxEventBytes: CAP, script });
  await waitFor(() => run.output().endsWith("done\n"), { message: "the agent to have written all" });
  await Deno.writeTextFile(join(run.directory, "ready"), "");
  await waitFor(() => readMark(run.directory), { message: "the shim to trim" });
  const looks = (): number => Deno.readTextFileSync(join(run.directory, "looks")).length;
  const before = looks();
  await waitFor(() => looks() >= before + 2 * "look\n".length, { message: "it to look twice again" });
  assert.equal(await Deno.readTextFile(join(run.directory, "trims")), "trim\n");
});

Deno.test({ name: "a shim trims what its agent says of itself too, and tells where", ignore }, async () => {
  await using yard = await shimYard();
  await Deno.writeTextFile(join(yard.path, "lines"), lines(2 * MIB));
  const script = yard.changedScript({ "first=1 slice=60": "first=0 slice=1" });
  const run = yard.start("cat lines >&2; echo last >&2; exec sleep 1000", { maxEventBytes: CAP, script });
  const path = join(run.directory, "stderr.log");
  const isTold = async (): Promise<boolean> =>
    (await Deno.readTextFile(path)).endsWith("last\n\nWARNING: codex-swarm: the middle of this file was dropped\n");
  await waitFor(isTold, { message: "the shim to trim" });
  assert.ok(await keptBytes(path) <= CAP);
  assert.match(await Deno.readTextFile(join(run.directory, "stderr.dropped")), /^\d+ \d+\n$/);
  await assert.rejects(Deno.stat(join(run.directory, "events.dropped")), Deno.errors.NotFound);
});
