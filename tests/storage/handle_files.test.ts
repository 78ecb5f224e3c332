import assert from "node:assert/strict";
import { join } from "node:path";
import { type HandleCall, type HandleEnd, HandleFiles } from "../../src/storage/handle_files.ts";
import { tryLock } from "../../src/storage/kernel_lock.ts";
import { STATE_FORMAT } from "../../src/storage/state_directory.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const CREATED = new Date("2026-11-01T00:00:00Z");
const LATER = new Date("2026-11-20T00:00:00Z");
const CALL: HandleCall = {
  tool: "codex",
  kept: { id: "0123abcd" },
  taskIds: ["0123abcd"],
  answerChars: 20_000,
  createdAt: CREATED,
};
const COMPLETED: HandleEnd = { status: "completed", endedAt: CREATED, result: { content: [] }, told: ["0123abcd"] };
const CANCELLED: HandleEnd = { status: "cancelled", endedAt: CREATED };

Deno.test("a handle is read as it was written, and has the first of its ends for ever", async () => {
  await using temp = await tempDirectory();
  const files = new HandleFiles(temp.path);
  for (const ends of [[COMPLETED, CANCELLED], [CANCELLED, COMPLETED]]) {
    const id = crypto.randomUUID();
    await files.create(id, CALL);
    assert.deepEqual([await files.read(id), await files.readEnd(id)], [CALL, null]);
    for (const end of ends) assert.deepEqual(await files.end(id, end), ends[0]);
    assert.deepEqual(await files.readEnd(id), ends[0]);
  }
  // At the same time either may be the first.
  const id = crypto.randomUUID();
  await files.create(id, CALL);
  const given = await Promise.all([COMPLETED, CANCELLED].map((end) => new HandleFiles(temp.path).end(id, end)));
  assert.deepEqual(given, [given[0], given[0]]);
  assert.deepEqual(await files.readEnd(id), given[0]);
});

Deno.test("whoever writes the end of a handle waits for another one that is about to", async () => {
  await using temp = await tempDirectory();
  const files = new HandleFiles(temp.path);
  const id = crypto.randomUUID();
  await files.create(id, CALL);
  const lock = tryLock(join(temp.path, "handles", id, "lock"));
  const end = files.end(id, CANCELLED);
  await Deno.writeTextFile(join(temp.path, "handles", id, "end.json"), JSON.stringify(COMPLETED));
  lock?.[Symbol.dispose]();
  assert.deepEqual(await end, COMPLETED);
});

Deno.test("what is no id of a handle names none, wherever it leads", async () => {
  await using temp = await tempDirectory();
  const files = new HandleFiles(temp.path);
  await Deno.writeTextFile(join(temp.path, "call.json"), JSON.stringify(CALL));
  for (const id of ["", ".", "..", "../..", `${crypto.randomUUID()}/..`, "\0"]) {
    assert.deepEqual([await files.read(id), await files.readEnd(id)], [null, null]);
    await assert.rejects(files.create(id, CALL), /names no handle/);
    await assert.rejects(files.end(id, CANCELLED), /names no handle/);
  }
});

Deno.test("handles go that ended long ago, or are about nothing any more", async () => {
  await using temp = await tempDirectory();
  const files = new HandleFiles(temp.path);
  const make = async (call: Partial<HandleCall>, end?: HandleEnd): Promise<string> => {
    const id = crypto.randomUUID();
    await files.create(id, { ...CALL, ...call });
    if (end !== undefined) await files.end(id, end);
    return id;
  };
  const gone = [await make({}, COMPLETED), await make({ taskIds: ["00000000"] })];
  const kept = [
    await make({}),
    await make({}, { ...COMPLETED, endedAt: LATER }),
    await make({ createdAt: LATER, taskIds: ["00000000"] }),
  ];
  const unreadable = crypto.randomUUID();
  await Deno.mkdir(join(temp.path, "handles", unreadable));
  await Deno.writeTextFile(join(temp.path, "handles", unreadable, "call.json"), "{}");
  await files.removeOld(new Date("2026-11-15T00:00:00Z"), (id) => id === "0123abcd");
  for (const id of gone) assert.equal(await files.read(id), null);
  for (const id of kept) assert.notEqual(await files.read(id), null);
  const left = await Array.fromAsync(Deno.readDir(join(temp.path, "handles")), ({ name }) => name);
  assert.deepEqual(left.toSorted(), [...kept, unreadable].toSorted());
});

Deno.test("no handle is written into a newer program's state directory", async () => {
  await using temp = await tempDirectory();
  const files = new HandleFiles(temp.path);
  const id = crypto.randomUUID();
  await files.create(id, CALL);
  assert.equal(await files.isWritable(), true);
  await Deno.writeTextFile(join(temp.path, "format"), `${STATE_FORMAT + 1}`);
  assert.equal(await files.isWritable(), false);
  await assert.rejects(files.end(id, CANCELLED), /newer codex-swarm/);
  await assert.rejects(files.create(crypto.randomUUID(), CALL), /newer codex-swarm/);
  assert.equal(await files.readEnd(id), null);
});
