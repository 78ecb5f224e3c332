import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { type SlotClaim, SlotFiles } from "../../src/storage/slot_files.ts";
import { tryLock } from "../../src/storage/kernel_lock.ts";
import { runFixture } from "../helpers/run_fixture.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

function slotsIn(directory: string, options: { readonly limit: number; readonly isHandedOver: boolean }): SlotFiles {
  return new SlotFiles({
    directory,
    limit: options.limit,
    isHandedOver: () => Promise.resolve(options.isHandedOver),
  });
}

function nameOf(claim: SlotClaim | null): string | null {
  return claim === null || claim.path === null ? null : basename(claim.path);
}

Deno.test("SlotFiles promises each slot that shims are to hold once, until the claim is disposed", async () => {
  await using temp = await tempDirectory();
  const directory = join(temp.path, "state", "slots");
  const slots = slotsIn(directory, { limit: 2, isHandedOver: true });
  const claims = await Promise.all([slots.claim(), slots.claim(), slots.claim()]);
  assert.deepEqual(claims.map(nameOf), ["slot_1", "slot_2", null]);
  claims[0]?.[Symbol.dispose]();
  // Once is enough: whoever has got the slot since keeps it.
  const again = await slots.claim();
  claims[0]?.[Symbol.dispose]();
  assert.equal(nameOf(again), "slot_1");
  assert.equal(await slots.claim(), null);
  if (Deno.build.os === "windows") return;
  assert.equal((Deno.statSync(directory).mode ?? 0) & 0o777, 0o700);
  assert.equal((Deno.statSync(join(directory, "slot_1")).mode ?? 0) & 0o777, 0o600);
});

Deno.test("SlotFiles takes no slot whose lock somebody holds, and leaves those that it promises unlocked", async () => {
  await using temp = await tempDirectory();
  const slots = slotsIn(temp.path, { limit: 2, isHandedOver: true });
  {
    using _shim = tryLock(join(temp.path, "slot_1"));
    const claim = await slots.claim();
    assert.equal(nameOf(claim), "slot_2");
    assert.equal(await slots.claim(), null);
    using taken = tryLock(claim?.path ?? "");
    assert.ok(taken);
    claim?.[Symbol.dispose]();
    assert.equal(await slots.claim(), null);
  }
  assert.equal(nameOf(await slots.claim()), "slot_1");
});

Deno.test("two servers may be promised the same slot, of which only one shim gets the lock", async () => {
  await using temp = await tempDirectory();
  const [first, second] = [1, 2].map(() => slotsIn(temp.path, { limit: 1, isHandedOver: true }));
  const claims = await Promise.all([first?.claim(), second?.claim()]);
  assert.deepEqual(claims.map((claim) => nameOf(claim ?? null)), ["slot_1", "slot_1"]);
  using winner = tryLock(join(temp.path, "slot_1"));
  assert.ok(winner);
  assert.equal(tryLock(join(temp.path, "slot_1")), null);
  claims[1]?.[Symbol.dispose]();
  assert.equal(await second?.claim(), null);
});

Deno.test("SlotFiles holds the slots itself where shims do not", async () => {
  await using temp = await tempDirectory();
  const [first, second] = [1, 2].map(() => slotsIn(temp.path, { limit: 2, isHandedOver: false }));
  const claims = await Promise.all([first?.claim(), second?.claim()]);
  assert.deepEqual(claims.map((claim) => claim?.path), [null, null]);
  assert.equal(await first?.claim(), null);
  assert.equal(await second?.claim(), null);
  claims[0]?.[Symbol.dispose]();
  const claim = await second?.claim();
  assert.ok(claim);
  assert.equal(await first?.claim(), null);
  claim[Symbol.dispose]();
  claims[1]?.[Symbol.dispose]();
});

Deno.test("SlotFiles counts for itself where no file can be locked", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "file");
  Deno.writeTextFileSync(file, "");
  for (const isHandedOver of [true, false]) {
    const slots = slotsIn(join(file, "slots"), { limit: 2, isHandedOver });
    const claims = await Promise.all([slots.claim(), slots.claim(), slots.claim()]);
    assert.deepEqual(claims.map((claim) => claim?.path), [null, null, undefined]);
    claims[1]?.[Symbol.dispose]();
    assert.ok(await slots.claim());
  }
});

Deno.test("a slot is never held by two processes, as it would be without locks", async () => {
  await using temp = await tempDirectory();
  const shared = async (limit: number): Promise<number> => {
    const directory = join(temp.path, `${limit}`);
    Deno.mkdirSync(directory);
    const args = ["slots", directory, `${limit}`, "100"];
    const printed = await Promise.all([1, 2].map(() => runFixture("storage_writer.ts", args)));
    return printed.map(Number).reduce((sum, count) => sum + count);
  };
  assert.equal(await shared(1), 0);
  // The control: with two slots they do meet.
  assert.notEqual(await shared(2), 0);
});

Deno.test("SlotFiles leaves a slot alone that somebody else replaces while it looks at its holder", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "slot_1");
  const hold = (holder: string): Disposable | null => {
    const lock = tryLock(path);
    Deno.writeTextFileSync(path, `${holder}\n`);
    Deno.utimeSync(path, 0, 0);
    return lock;
  };
  using _gone = hold("1 12 gone");
  using stack = new DisposableStack();
  const slots = new SlotFiles({
    directory: temp.path,
    limit: 1,
    isHandedOver: () => Promise.resolve(true),
    isGone: ({ id }) => {
      if (id !== "gone") return Promise.resolve(false);
      Deno.removeSync(path);
      stack.use(hold("1 13 next"));
      return Promise.resolve(true);
    },
  });
  assert.equal(await slots.claim(), null);
  assert.equal(Deno.readTextFileSync(path), "1 13 next\n");
});
