import assert from "node:assert/strict";
import { join } from "node:path";
import { setImmediate } from "node:timers";
import { type EventPage, readEventPage } from "../../src/storage/event_page.ts";
import { TaskError } from "../../src/task/errors.ts";
import { seededRandom } from "../helpers/random.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

interface Log {
  readonly eventsFile: string;
  readonly droppedFile: string;
}

function logIn(directory: string): Log {
  return { eventsFile: join(directory, "events.jsonl"), droppedFile: join(directory, "events.dropped") };
}

/** Reads from the beginning until nothing more is there. */
async function readAll(log: Log, { isOver }: { readonly isOver: boolean }): Promise<EventPage[]> {
  const pages: EventPage[] = [];
  let after = 0;
  do {
    const page = await readEventPage(log, { after, isOver });
    pages.push(page);
    after = page.next;
  } while (pages.at(-1)?.hasMore === true);
  return pages;
}

function texts(pages: readonly EventPage[]): string[] {
  return pages.flatMap(({ lines }) => lines.map(({ text }) => text));
}

Deno.test("readEventPage() gives exactly the lines of a file, at most 200 and 100 KB at a time", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const random = seededRandom(20_261_121);
  for (let round = 0; round < 10; round++) {
    const lines = Array.from({ length: random(700) }, (_, index) => `${index} ${"é".repeat(random(900))}`);
    Deno.writeTextFileSync(log.eventsFile, lines.map((line) => `${line}\n`).join(""));
    const pages = await readAll(log, { isOver: round % 2 === 0 });
    assert.deepEqual(texts(pages), lines);
    for (const { lines } of pages) {
      assert.ok(lines.length <= 200);
      assert.ok(lines.reduce((sum, { text }) => sum + new TextEncoder().encode(text).length + 1, 0) <= 100_000);
    }
    for (const { lines } of pages.slice(0, -1)) assert.ok(lines.length > 0);
  }
});

Deno.test("readEventPage() gives a line when it is whole, and a torn last one when nobody writes any more", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const nothing = { lines: [], next: 0, hasMore: false, droppedBytes: 0 };
  assert.deepEqual(await readEventPage(log, { after: 0, isOver: false }), nothing);
  Deno.writeTextFileSync(log.eventsFile, "one\ntw");
  const first = { lines: [{ text: "one", isCut: false }], next: 4, hasMore: false, droppedBytes: 0 };
  assert.deepEqual(await readEventPage(log, { after: 0, isOver: false }), first);
  assert.deepEqual(await readEventPage(log, { after: 4, isOver: false }), { ...nothing, next: 4 });
  assert.deepEqual(await readEventPage(log, { after: 0, isOver: true }), { ...first, hasMore: true });
  const torn = { lines: [{ text: "tw", isCut: false }], next: 6, hasMore: false, droppedBytes: 0 };
  assert.deepEqual(await readEventPage(log, { after: 4, isOver: true }), torn);
  assert.deepEqual(await readEventPage(log, { after: 6, isOver: true }), { ...nothing, next: 6 });
  Deno.writeTextFileSync(log.eventsFile, "o\n\n", { append: true });
  const rest = { lines: [{ text: "two", isCut: false }, { text: "", isCut: false }], next: 9 };
  assert.deepEqual(await readEventPage(log, { after: 4, isOver: false }), { ...nothing, ...rest });
});

Deno.test("readEventPage() refuses a position at which no line begins, and says how to go on", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const refuses = async (after: number, isOver = false): Promise<void> => {
    await assert.rejects(readEventPage(log, { after, isOver }), (error: unknown) => {
      assert.ok(error instanceof TaskError);
      assert.match(error.message, new RegExp(`after ${after}: no event begins there, of \\d+ bytes .* Pass "next"`));
      return true;
    });
  };
  await refuses(1);
  Deno.writeTextFileSync(log.eventsFile, "one\ntwo");
  for (const after of [1, 3, 5, 8, 999_999_999_999_999]) await refuses(after);
  await refuses(7);
  assert.deepEqual((await readEventPage(log, { after: 7, isOver: true })).lines, []);
  await refuses(8, true);
});

Deno.test("readEventPage() tells a line that is longer than a page by its two ends", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const long = `begin${"x".repeat(700_000)}end`;
  Deno.writeTextFileSync(log.eventsFile, `before\n${long}\nafter\n`);
  const pages = await readAll(log, { isOver: false });
  const [before, cut = "", after] = texts(pages);
  assert.deepEqual([before, after], ["before", "after"]);
  assert.deepEqual(pages.flatMap(({ lines }) => lines.map(({ isCut }) => isCut)), [false, true, false]);
  assert.ok(cut.length < 100_000, `${cut.length}`);
  assert.match(cut.replaceAll(/x+/g, "x"), /^beginx\n\[… 700,008 bytes in all, the middle is left out …\]\nxend$/);
  // Without its end nobody knows yet how long it is.
  Deno.writeTextFileSync(log.eventsFile, `before\n${long}`);
  assert.deepEqual(await readEventPage(log, { after: 7, isOver: false }), {
    lines: [],
    next: 7,
    hasMore: false,
    droppedBytes: 0,
  });
  const { lines, next } = await readEventPage(log, { after: 7, isOver: true });
  assert.deepEqual([lines.length, next], [1, 7 + long.length]);
});

Deno.test("readEventPage() tells how much was dropped, and gives all lines that are whole", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const random = seededRandom(21_112_026);
  for (let round = 0; round < 60; round++) {
    const isOver = round % 3 === 0;
    const lines = Array.from({ length: 1 + random(60) }, (_, index) => `${index} ${"y".repeat(random(4_000))}`);
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
    const start = random(bytes.length);
    const end = start + 1 + random(bytes.length - start);
    bytes.fill(0, start, end);
    Deno.writeFileSync(log.eventsFile, bytes);
    Deno.writeTextFileSync(log.droppedFile, `${start} ${end}\n`);
    let at = 0;
    const whole = lines.filter((line) => {
      const from = at;
      at += line.length + 1;
      // The newline right before it tells that a line begins there; at the end of what was dropped nothing does.
      return at <= start || (from > end);
    });
    const pages = await readAll(log, { isOver });
    assert.deepEqual(texts(pages), whole, `round ${round}`);
    const given = whole.reduce((sum, line) => sum + line.length + 1, 0);
    const dropped = pages.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0);
    assert.equal(given + dropped, pages.at(-1)?.next, `round ${round}`);
    // Whoever had read up to a place that was dropped since reads on behind it.
    const later = await readEventPage(log, { after: start, isOver });
    assert.deepEqual(texts([later]), whole.filter((line) => texts([later]).includes(line)));
    const behind = await readEventPage(log, { after: end, isOver });
    assert.deepEqual(texts([behind]), texts([later]));
  }
});

Deno.test("readEventPage() gives nothing of what is dropped while it reads", async () => {
  await using temp = await tempDirectory();
  const log = logIn(temp.path);
  const lines = Array.from({ length: 150 }, (_, index) => `${index} ${"z".repeat(300)}`);
  const whole = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const [start, end] = [4_096, 40_960];
  const known = new Set(lines);
  for (let round = 0; round < 300; round++) {
    Deno.writeTextFileSync(log.droppedFile, "");
    Deno.writeFileSync(log.eventsFile, whole);
    const reading = readEventPage(log, { after: 0, isOver: false });
    for (let turn = 0; turn < round % 30; turn++) await new Promise((resolve) => setImmediate(resolve));
    // In this order, as the shim does it.
    Deno.writeTextFileSync(log.droppedFile, `${start} ${end}\n`);
    using file = Deno.openSync(log.eventsFile, { write: true });
    file.seekSync(start, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(end - start));
    for (const text of texts([await reading])) assert.ok(known.has(text), `round ${round}`);
  }
});
