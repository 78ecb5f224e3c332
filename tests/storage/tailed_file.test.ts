import assert from "node:assert/strict";
import { join } from "node:path";
import { readTail, TailedFile } from "../../src/storage/tailed_file.ts";
import { seededRandom } from "../helpers/random.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const encoder = new TextEncoder();

interface Read {
  readonly lines: readonly string[];
  readonly torn: string | null;
}

/** Writes the bytes in pieces of these sizes, reading after each; the last piece is the rest. */
async function readInPieces(path: string, bytes: Uint8Array, sizes: Iterable<number>): Promise<Read> {
  const log = new TailedFile(path);
  const lines: string[] = [];
  Deno.writeFileSync(path, new Uint8Array());
  let at = 0;
  const append = async (end: number): Promise<void> => {
    Deno.writeFileSync(path, bytes.subarray(at, end), { append: true });
    at = end;
    for await (const line of log.read()) lines.push(line);
  };
  for (const size of sizes) if (at < bytes.length) await append(at + size);
  await append(bytes.length);
  assert.equal(log.offset, bytes.length);
  return { lines, torn: log.takeTornTail() };
}

Deno.test("TailedFile gives no lines of a file that does not exist yet", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new TailedFile(path);
  assert.deepEqual(await Array.fromAsync(log.read()), []);
  Deno.writeTextFileSync(path, "first\n");
  assert.deepEqual(await Array.fromAsync(log.read()), ["first"]);
});

Deno.test("TailedFile gives each line of a growing file once, when it is whole", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new TailedFile(path);
  const steps = [["one\ntw", ["one"]], ["o\n", ["two"]], ["", []], ["\nthr", [""]], ["ee\n", ["three"]]] as const;
  for (const [text, lines] of steps) {
    Deno.writeTextFileSync(path, text, { append: true });
    assert.deepEqual(await Array.fromAsync(log.read()), lines);
  }
  assert.equal(log.takeTornTail(), null);
});

Deno.test("TailedFile gives the line that a dying writer did not finish only when it is asked for", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  Deno.writeTextFileSync(path, 'whole\n{"type":"to');
  const log = new TailedFile(path);
  assert.deepEqual(await Array.fromAsync(log.read()), ["whole"]);
  assert.equal(log.takeTornTail(), '{"type":"to');
  assert.equal(log.takeTornTail(), null);
});

Deno.test("TailedFile reads lines of several MB whole", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const long = "x".repeat(5_000_001);
  Deno.writeTextFileSync(path, `before\n${long}\nafter\n`);
  assert.deepEqual(await Array.fromAsync(new TailedFile(path).read()), ["before", long, "after"]);
});

Deno.test("TailedFile drops a line beyond its limit, counts it and goes on after it", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new TailedFile(path);
  Deno.writeTextFileSync(path, "before\n");
  const mebibyte = encoder.encode("x".repeat(1024 * 1024));
  for (let index = 0; index < 17; index++) Deno.writeFileSync(path, mebibyte, { append: true });
  Deno.writeTextFileSync(path, "\nafter\n", { append: true });
  assert.deepEqual(await Array.fromAsync(log.read()), ["before", "after"]);
  assert.equal(log.skippedLines, 1);
});

Deno.test("TailedFile replaces invalid UTF-8 and loses nothing around it", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  Deno.writeFileSync(path, new Uint8Array([...encoder.encode("a"), 0xff, 0xc3, 0x28, ...encoder.encode("é\nnext\n")]));
  assert.deepEqual(await Array.fromAsync(new TailedFile(path).read()), ["a\ufffd\ufffd(é", "next"]);
});

Deno.test("TailedFile keeps what is written in two halves of a character", async () => {
  await using temp = await tempDirectory();
  const bytes = encoder.encode("naïve 🐝 日本\n");
  assert.deepEqual(await readInPieces(join(temp.path, "log"), bytes, bytes.map(() => 1)), {
    lines: ["naïve 🐝 日本"],
    torn: null,
  });
});

Deno.test("F18: TailedFile reads the same however the file grew", async () => {
  await using temp = await tempDirectory();
  const random = seededRandom(20_261_104);
  for (let round = 0; round < 40; round++) {
    const bytes = new Uint8Array(random(400));
    // Every third byte or so from few values: many newlines, and pieces of characters.
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = random(3) === 0 ? [10, 13, 0, 0xc3, 0xa9, 0xf0][random(6)] ?? 10 : random(256);
    }
    const text = bytes.length === 0 ? [] : splitLines(bytes);
    const path = join(temp.path, "log");
    const whole = await readInPieces(path, bytes, []);
    assert.deepEqual(whole, { lines: text.slice(0, -1), torn: text.at(-1) || null }, `round ${round}`);
    const pieces = Array.from({ length: 8 }, () => random(100));
    assert.deepEqual(await readInPieces(path, bytes, pieces), whole, `round ${round}, pieces ${pieces}`);
    if (round < 10) assert.deepEqual(await readInPieces(path, bytes, bytes.map(() => 1)), whole, `round ${round}`);
  }
});

/** The same by the shortest way: lines of bytes, each decoded alone. */
function splitLines(bytes: Uint8Array): string[] {
  const lines: number[][] = [[]];
  for (const byte of bytes) {
    if (byte === 10) lines.push([]);
    else lines.at(-1)?.push(byte);
  }
  return lines.map((line) => new TextDecoder().decode(new Uint8Array(line)));
}

/** Drops a part of a log as the shim does: says so, then leaves a hole. */
function drop(path: string, { start, end }: { readonly start: number; readonly end: number }): void {
  Deno.writeTextFileSync(`${path}.dropped`, `${start} ${end}\n`, { append: true });
  using file = Deno.openSync(path, { write: true });
  file.seekSync(start, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(end - start));
}

function logWithDrops(path: string): TailedFile {
  return new TailedFile(path, { dropped: `${path}.dropped` });
}

Deno.test("TailedFile passes over what was dropped, and over the half lines on both sides of it", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "one\ntwo\nthree\nfour\nfive\n");
  drop(path, { start: 6, end: 15 });
  const log = logWithDrops(path);
  assert.deepEqual(await Array.fromAsync(log.read()), ["one", "five"]);
  assert.equal(log.droppedBytes, "two\nthree\nfour\n".length);
});

Deno.test("TailedFile, without word of what was dropped, gives the hole as a line", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "one\ntwo\nthree\nfour\nfive\n");
  drop(path, { start: 6, end: 15 });
  const [, second = ""] = await Array.fromAsync(new TailedFile(path).read());
  assert.match(second, /^tw\0+our$/);
});

Deno.test("TailedFile forgets the half line that it has read when the other half is dropped", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "one\ntw");
  const log = logWithDrops(path);
  assert.deepEqual(await Array.fromAsync(log.read()), ["one"]);
  Deno.writeTextFileSync(path, "o\nthree\nfour\n", { append: true });
  drop(path, { start: 6, end: 12 });
  assert.deepEqual(await Array.fromAsync(log.read()), ["four"]);
  assert.equal(log.droppedBytes, "two\nthree\n".length);
  drop(path, { start: 0, end: 12 });
  assert.deepEqual(await Array.fromAsync(log.read()), []);
  assert.equal(log.droppedBytes, "two\nthree\n".length);
});

Deno.test("TailedFile heeds no line about dropped parts that it cannot read", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "one\ntwo\nthree\n");
  Deno.writeTextFileSync(`${path}.dropped`, "8 4\nnothing\n-1 5\n\n0 99999999999999999999999\n4 14");
  assert.deepEqual(await Array.fromAsync(logWithDrops(path).read()), ["one", "two", "three"]);
});

Deno.test("TailedFile gives exactly the lines of which nothing was dropped before it was read", async () => {
  await using temp = await tempDirectory();
  const random = seededRandom(20_261_120);
  for (let round = 0; round < 60; round++) {
    const path = join(temp.path, `log_${round}`);
    const lines = Array.from({ length: 1 + random(60) }, (_, index) => `${index}:`.padEnd(2 + random(30), "é☃x"));
    const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
    const log = logWithDrops(path);
    const given: string[] = [];
    /** What the log had no chance to read. */
    const lost: { readonly start: number; readonly end: number }[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + 1 + random(200));
      Deno.writeFileSync(path, bytes.subarray(at, next), { append: true });
      at = next;
      if (random(3) === 0) {
        const start = random(at);
        const range = { start, end: start + 1 + random(at - start) };
        drop(path, range);
        if (range.end > log.offset) lost.push({ ...range, start: Math.max(range.start, log.offset) });
      }
      if (random(2) === 0) given.push(...await Array.fromAsync(log.read()));
    }
    given.push(...await Array.fromAsync(log.read()));
    let end = 0;
    const whole: string[] = [];
    let droppedBytes = 0;
    for (const line of lines) {
      const start = end;
      end += encoder.encode(line).length + 1;
      // The line that goes on where a hole ends has lost its beginning, as far as anybody can tell.
      if (lost.some((range) => start <= range.end && end > range.start)) droppedBytes += end - start;
      else whole.push(line);
    }
    assert.deepEqual(given, whole, `round ${round}`);
    assert.equal(log.droppedBytes, droppedBytes, `round ${round}`);
    assert.equal(log.takeTornTail(), null);
  }
});

Deno.test("TailedFile reads of a backlog that is too long the beginning of the file and the end", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  const lines = Array.from({ length: 40_000 }, (_, index) => `${index}`.padStart(9, "0"));
  Deno.writeTextFileSync(path, `${lines.join("\n")}\n`);
  const log = new TailedFile(path, { maxBacklogBytes: 100_000 });
  const given = await Array.fromAsync(log.read());
  assert.equal(given[0], "000000000");
  assert.equal(given.at(-1), "000039999");
  assert.equal(log.droppedBytes, 400_000 - 10 * given.length);
  const gap = given.findIndex((line, index) => line !== lines[index]);
  assert.deepEqual(given, [...lines.slice(0, gap), ...lines.slice(gap - given.length)]);
  assert.ok(given.length - gap < 100_000 / 8 / 10);

  Deno.writeTextFileSync(path, `${lines.slice(0, 9_999).join("\n")}\n`, { append: true });
  assert.deepEqual(await Array.fromAsync(log.read()), lines.slice(0, 9_999), "a backlog that is not too long");
  Deno.writeTextFileSync(path, `${lines.join("\n")}\n`, { append: true });
  const end = await Array.fromAsync(log.read());
  assert.deepEqual(end, lines.slice(-end.length));
  assert.ok(end.length <= 1_250);
});

Deno.test("TailedFile does not count what was dropped as a backlog", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "first\n");
  using file = Deno.openSync(path, { write: true });
  // A hole that takes no room on disk.
  file.seekSync(1_000_000_000, Deno.SeekMode.Start);
  file.writeSync(encoder.encode(`rest\n${"line\n".repeat(10_000)}`));
  Deno.writeTextFileSync(`${path}.dropped`, "6 1000000000\n");
  const log = new TailedFile(path, { dropped: `${path}.dropped`, maxBacklogBytes: 60_000 });
  assert.equal((await Array.fromAsync(log.read())).length, 1 + 10_000);
  assert.equal(log.droppedBytes, 1_000_000_000 - 6 + "rest\n".length);
});

Deno.test("F40: TailedFile reads a file from its beginning that was cut short or replaced", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  const log = new TailedFile(path);
  const write = (text: string): void => Deno.writeTextFileSync(path, text);
  write("one\ntwo\nhal");
  assert.deepEqual(await Array.fromAsync(log.read()), ["one", "two"]);
  write("1\n2\n");
  assert.deepEqual(await Array.fromAsync(log.read()), ["1", "2"]);
  if (Deno.build.os === "windows") return;
  for (const text of ["as long\n", "as long\n", "longer than before\n"]) {
    Deno.removeSync(path);
    assert.deepEqual(await Array.fromAsync(log.read()), []);
    write(text);
    assert.deepEqual(await Array.fromAsync(log.read()), [text.trimEnd()]);
  }
  // Most file systems give a new file the number of the one that is gone, which nobody may have missed.
  const { birthtime } = Deno.statSync(path);
  await waitFor(() => {
    Deno.removeSync(path);
    write("the first line\nand the next, longer than before\n");
    return Deno.statSync(path).birthtime?.getTime() !== birthtime?.getTime();
  }, { message: "a file of another time" });
  assert.deepEqual(await Array.fromAsync(log.read()), ["the first line", "and the next, longer than before"]);
});

Deno.test(
  {
    name: "F40: TailedFile loses no line and gives none twice when its file is rotated",
    ignore: Deno.build.os === "windows",
  },
  async () => {
    await using temp = await tempDirectory();
    const random = seededRandom(40);
    const path = join(temp.path, "log");
    const log = new TailedFile(path);
    const given: string[] = [];
    let size = 0;
    let rotations = 0;
    for (let line = 0; line < 3_000; line++) {
      if (size > 2_000) {
        Deno.renameSync(path, `${path}.1`);
        size = 0;
        rotations++;
      }
      Deno.writeTextFileSync(path, `${line}\n`, { append: true });
      size += `${line}\n`.length;
      // Often enough that no more than one rotation lies between.
      if (random(40) === 0 || size === `${line}\n`.length) given.push(...await Array.fromAsync(log.read()));
    }
    given.push(...await Array.fromAsync(log.read()));
    assert.ok(rotations > 5);
    assert.deepEqual(given, Array.from({ length: 3_000 }, (_, line) => `${line}`));
  },
);

Deno.test("TailedFile ends a call although its file never stops growing", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "log");
  Deno.writeTextFileSync(path, "line\n");
  let lines = 0;
  for await (const _line of new TailedFile(path).read()) {
    lines++;
    Deno.writeTextFileSync(path, "line\n", { append: true });
  }
  assert.equal(lines, 1);
});

Deno.test("readTail() gives the end of a file, all of a short one, and nothing of none", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "stderr.log");
  assert.equal(await readTail(path, 4), "");
  Deno.writeTextFileSync(path, "abc");
  assert.equal(await readTail(path, 4), "abc");
  Deno.writeTextFileSync(path, "abcdefgh");
  assert.equal(await readTail(path, 4), "efgh");
});
