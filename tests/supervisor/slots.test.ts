import assert from "node:assert/strict";
import { Slots } from "../../src/supervisor/slots.ts";

const NEVER = new AbortController().signal;

Deno.test("Slots lets so many in at once and the others in their order", async () => {
  const slots = new Slots(2);
  const entered: string[] = [];
  const enter = async (id: string): Promise<() => void> => {
    const free = await slots.acquire(id, NEVER);
    entered.push(id);
    return free;
  };
  const [first, second] = await Promise.all([enter("a"), enter("b")]);
  const third = enter("c");
  const fourth = enter("d");
  assert.deepEqual(["a", "b", "c", "d"].map((id) => slots.position(id)), [null, null, 1, 2]);

  first();
  const freeThird = await third;
  assert.deepEqual(["c", "d"].map((id) => slots.position(id)), [null, 1]);
  second();
  const freeFourth = await fourth;
  assert.deepEqual(entered, ["a", "b", "c", "d"]);
  freeThird();
  freeFourth();
});

Deno.test("Slots counts a slot that is freed twice once", async () => {
  const slots = new Slots(1);
  const free = await slots.acquire("a", NEVER);
  free();
  free();
  const freeB = await slots.acquire("b", NEVER);
  const waiting = slots.acquire("c", NEVER);
  assert.equal(slots.position("c"), 1);
  freeB();
  (await waiting)();
});

Deno.test("Slots lets a task leave the queue and moves the others up", async () => {
  const slots = new Slots(1);
  const free = await slots.acquire("a", NEVER);
  const leaving = new AbortController();
  const left = slots.acquire("b", leaving.signal);
  const waiting = slots.acquire("c", NEVER);
  leaving.abort("cancelled");
  await assert.rejects(left, (reason: unknown) => reason === "cancelled");
  assert.deepEqual([slots.position("b"), slots.position("c")], [null, 1]);
  free();
  (await waiting)();
});

Deno.test("Slots does not queue a task that is stopped already, and keeps its slot free", async () => {
  const slots = new Slots(1);
  await assert.rejects(slots.acquire("a", AbortSignal.abort("cancelled")), (reason: unknown) => reason === "cancelled");
  (await slots.acquire("b", NEVER))();
});
