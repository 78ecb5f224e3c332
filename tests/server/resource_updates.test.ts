import assert from "node:assert/strict";
import { ResourceUpdates } from "../../src/server/resource_updates.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** Resources whose facts a test sets, and how often each was looked at. */
function yard(): {
  readonly facts: Map<string, string>;
  readonly looks: Map<string, number>;
  readonly updates: ResourceUpdates;
} {
  const facts = new Map([["a", "1"], ["b", "1"]]);
  const looks = new Map<string, number>();
  const look = (uri: string): string | null => {
    looks.set(uri, (looks.get(uri) ?? 0) + 1);
    if (facts.get(uri) === "broken") throw new Error("cannot be looked at");
    return facts.get(uri) ?? null;
  };
  return { facts, looks, updates: new ResourceUpdates({ look, everyMs: 1 }) };
}

/** Waits for so many further looks at a resource. */
async function looksAt(uri: string, count: number, looks: ReadonlyMap<string, number>): Promise<void> {
  const before = looks.get(uri) ?? 0;
  await waitFor(() => (looks.get(uri) ?? 0) >= before + count, { message: `${count} looks at ${uri}` });
}

Deno.test("ResourceUpdates tells of each change that a look sees, and of nothing else", async () => {
  const { facts, looks, updates } = yard();
  const told: string[] = [];
  using _a = updates.watch("a", (uri) => told.push(uri));
  using _b = updates.watch("b", (uri) => told.push(uri));
  await looksAt("b", 3, looks);
  assert.deepEqual(told, []);
  facts.set("a", "2");
  await looksAt("b", 3, looks);
  assert.deepEqual(told, ["a"]);
  // Gone, too, is a change, but only once.
  facts.delete("b");
  await looksAt("b", 3, looks);
  assert.deepEqual(told, ["a", "b"]);
});

Deno.test("ResourceUpdates tells of many changes between two looks once, and never misses the last", async () => {
  const { facts, looks, updates } = yard();
  let seen: string | undefined;
  let told = 0;
  using _watch = updates.watch("a", (uri) => {
    seen = facts.get(uri);
    told++;
  });
  for (let round = 0; round < 50; round++) {
    // In one go: no look comes in between.
    for (let change = 0; change < 20; change++) facts.set("a", `${round}.${change}`);
    await looksAt("a", 1, looks);
    assert.deepEqual([seen, told], [`${round}.19`, round + 1]);
  }
});

Deno.test("ResourceUpdates looks only at what is watched, as long as it is", async () => {
  const { facts, looks, updates } = yard();
  const told: string[] = [];
  const first = updates.watch("a", () => told.push("first"));
  const second = updates.watch("a", () => told.push("second"));
  facts.set("a", "2");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["first", "second"]);
  assert.equal(looks.get("b"), undefined);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  facts.set("a", "3");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["first", "second", "second"]);
  second[Symbol.dispose]();
  // Deno's sanitizer would find a timer that goes on.
  const before = looks.get("a");
  facts.set("a", "4");
  using _b = updates.watch("b", () => undefined);
  await looksAt("b", 3, looks);
  assert.equal(looks.get("a"), before);
  assert.equal(told.length, 3);
});

Deno.test("ResourceUpdates tells a listener once that watches a resource several times", async () => {
  const { facts, looks, updates } = yard();
  const told: string[] = [];
  const listener = (uri: string): number => told.push(uri);
  const first = updates.watch("a", listener);
  using _second = updates.watch("a", listener);
  facts.set("a", "2");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["a"]);
  first[Symbol.dispose]();
  facts.set("a", "3");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["a", "a"]);
});

Deno.test("ResourceUpdates goes on after a look that fails", async () => {
  const { facts, looks, updates } = yard();
  const told: string[] = [];
  using _watch = updates.watch("a", (uri) => told.push(uri));
  facts.set("a", "broken");
  await looksAt("a", 2, looks);
  facts.set("a", "1");
  await looksAt("a", 2, looks);
  assert.deepEqual(told, []);
  facts.set("a", "2");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["a"]);
});

Deno.test("ResourceUpdates takes what cannot be looked at for absent, and tells of it when it can", async () => {
  const { facts, looks, updates } = yard();
  facts.set("a", "broken");
  assert.equal(updates.canWatch("a"), false);
  const told: string[] = [];
  using _watch = updates.watch("a", (uri) => told.push(uri));
  facts.set("a", "1");
  await looksAt("a", 1, looks);
  assert.deepEqual(told, ["a"]);
});
