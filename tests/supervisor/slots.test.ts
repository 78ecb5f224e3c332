import assert from "node:assert/strict";
import { join } from "node:path";
import { Bell } from "../../src/storage/bell.ts";
import { SlotFiles } from "../../src/storage/slot_files.ts";
import { Slots } from "../../src/supervisor/slots.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const NEVER = new AbortController().signal;

/** A server's slots. */
interface Yard extends AsyncDisposable {
  readonly slots: Slots;
}

/** Slots of one server; those of several in one directory are shared. */
function slotsIn(path: string, limit: number): Yard {
  const bell = new Bell(join(path, "ended"));
  const files = new SlotFiles({
    directory: join(path, "slots"),
    limit,
    isHandedOver: () => Promise.resolve(false),
  });
  const closing = new AbortController();
  return {
    slots: new Slots({ files, bell, closing: closing.signal }),
    [Symbol.asyncDispose]: () => {
      closing.abort();
      bell.close();
      return Promise.resolve();
    },
  };
}

function free(slot: Disposable): void {
  slot[Symbol.dispose]();
}

Deno.test("Slots lets so many in at once and the others in their order", async () => {
  await using temp = await tempDirectory();
  await using yard = slotsIn(temp.path, 2);
  const { slots } = yard;
  const entered: string[] = [];
  const enter = async (id: string): Promise<Disposable> => {
    const slot = await slots.acquire(id, NEVER);
    entered.push(id);
    return slot;
  };
  const [first, second] = await Promise.all([enter("a"), enter("b")]);
  const third = enter("c");
  const fourth = enter("d");
  assert.deepEqual(["a", "b", "c", "d"].map((id) => slots.position(id)), [null, null, 1, 2]);

  free(first);
  const thirdSlot = await third;
  assert.deepEqual(["c", "d"].map((id) => slots.position(id)), [null, 1]);
  free(second);
  const fourthSlot = await fourth;
  assert.deepEqual(entered, ["a", "b", "c", "d"]);
  free(thirdSlot);
  free(fourthSlot);
});

Deno.test("Slots lets a task that had its turn before all others", async () => {
  await using temp = await tempDirectory();
  await using yard = slotsIn(temp.path, 1);
  const first = await yard.slots.acquire("a", NEVER);
  const waiting = yard.slots.acquire("b", NEVER);
  const again = yard.slots.acquire("c", NEVER, { isFirst: true });
  assert.deepEqual(["c", "b"].map((id) => yard.slots.position(id)), [1, 2]);
  free(first);
  free(await again);
  free(await waiting);
});

Deno.test("Slots counts a slot that is freed twice once", async () => {
  await using temp = await tempDirectory();
  await using yard = slotsIn(temp.path, 1);
  const slot = await yard.slots.acquire("a", NEVER);
  free(slot);
  free(slot);
  const slotB = await yard.slots.acquire("b", NEVER);
  const waiting = yard.slots.acquire("c", NEVER);
  assert.equal(yard.slots.position("c"), 1);
  free(slotB);
  free(await waiting);
});

Deno.test("Slots lets a task leave the queue and moves the others up", async () => {
  await using temp = await tempDirectory();
  await using yard = slotsIn(temp.path, 1);
  const slot = await yard.slots.acquire("a", NEVER);
  const leaving = new AbortController();
  const left = yard.slots.acquire("b", leaving.signal);
  const waiting = yard.slots.acquire("c", NEVER);
  leaving.abort("cancelled");
  await assert.rejects(left, (reason: unknown) => reason === "cancelled");
  assert.deepEqual([yard.slots.position("b"), yard.slots.position("c")], [null, 1]);
  free(slot);
  free(await waiting);
});

Deno.test("Slots does not queue a task that is stopped already, and keeps its slot free", async () => {
  await using temp = await tempDirectory();
  await using yard = slotsIn(temp.path, 1);
  const stopped = AbortSignal.abort("cancelled");
  await assert.rejects(yard.slots.acquire("a", stopped), (reason: unknown) => reason === "cancelled");
  free(await yard.slots.acquire("b", NEVER));
});

Deno.test("Slots of two servers in one directory are the same ones", async () => {
  await using temp = await tempDirectory();
  await using one = slotsIn(temp.path, 1);
  await using other = slotsIn(temp.path, 1);
  const slot = await one.slots.acquire("a", NEVER);
  const waiting = other.slots.acquire("b", NEVER);
  assert.equal(other.slots.position("b"), 1);
  free(slot);
  free(await waiting);
});
