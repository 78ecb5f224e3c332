import assert from "node:assert/strict";
import { join } from "node:path";
import { AgentLog, readTail } from "../../src/storage/agent_log.ts";
import { seededRandom } from "../helpers/random.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const encoder = new TextEncoder();

interface Read {
  readonly lines: readonly string[];
  readonly torn: string | null;
}

/** Writes the bytes in pieces of these sizes, reading after each; the last piece is the rest. */
async function readInPieces(path: string, bytes: Uint8Array, sizes: Iterable<number>): Promise<Read> {
  const log = new AgentLog(path);
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

Deno.test("AgentLog gives no lines of a file that does not exist yet", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new AgentLog(path);
  assert.deepEqual(await Array.fromAsync(log.read()), []);
  Deno.writeTextFileSync(path, "first\n");
  assert.deepEqual(await Array.fromAsync(log.read()), ["first"]);
});

Deno.test("AgentLog gives each line of a growing file once, when it is whole", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new AgentLog(path);
  const steps = [["one\ntw", ["one"]], ["o\n", ["two"]], ["", []], ["\nthr", [""]], ["ee\n", ["three"]]] as const;
  for (const [text, lines] of steps) {
    Deno.writeTextFileSync(path, text, { append: true });
    assert.deepEqual(await Array.fromAsync(log.read()), lines);
  }
  assert.equal(log.takeTornTail(), null);
});

Deno.test("AgentLog gives the line that a dying writer did not finish only when it is asked for", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  Deno.writeTextFileSync(path, 'whole\n{"type":"to');
  const log = new AgentLog(path);
  assert.deepEqual(await Array.fromAsync(log.read()), ["whole"]);
  assert.equal(log.takeTornTail(), '{"type":"to');
  assert.equal(log.takeTornTail(), null);
});

Deno.test("AgentLog reads lines of several MB whole", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const long = "x".repeat(5_000_001);
  Deno.writeTextFileSync(path, `before\n${long}\nafter\n`);
  assert.deepEqual(await Array.fromAsync(new AgentLog(path).read()), ["before", long, "after"]);
});

Deno.test("AgentLog drops a line beyond its limit, counts it and goes on after it", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new AgentLog(path);
  Deno.writeTextFileSync(path, "before\n");
  const mebibyte = encoder.encode("x".repeat(1024 * 1024));
  for (let index = 0; index < 65; index++) Deno.writeFileSync(path, mebibyte, { append: true });
  Deno.writeTextFileSync(path, "\nafter\n", { append: true });
  assert.deepEqual(await Array.fromAsync(log.read()), ["before", "after"]);
  assert.equal(log.skippedLines, 1);
});

Deno.test("AgentLog replaces invalid UTF-8 and loses nothing around it", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  Deno.writeFileSync(path, new Uint8Array([...encoder.encode("a"), 0xff, 0xc3, 0x28, ...encoder.encode("é\nnext\n")]));
  assert.deepEqual(await Array.fromAsync(new AgentLog(path).read()), ["a\ufffd\ufffd(é", "next"]);
});

Deno.test("AgentLog keeps what is written in two halves of a character", async () => {
  await using temp = await tempDirectory();
  const bytes = encoder.encode("naïve 🐝 日本\n");
  assert.deepEqual(await readInPieces(join(temp.path, "log"), bytes, bytes.map(() => 1)), {
    lines: ["naïve 🐝 日本"],
    torn: null,
  });
});

Deno.test("AgentLog reads the same however the file grew", async () => {
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

Deno.test("readTail() gives the end of a file, all of a short one, and nothing of none", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "stderr.log");
  assert.equal(await readTail(path, 4), "");
  Deno.writeTextFileSync(path, "abc");
  assert.equal(await readTail(path, 4), "abc");
  Deno.writeTextFileSync(path, "abcdefgh");
  assert.equal(await readTail(path, 4), "efgh");
});
