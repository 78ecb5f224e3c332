import assert from "node:assert/strict";
import { UsageLimitFiles } from "../../src/storage/usage_limit_file.ts";
import { UsageLimits } from "../../src/supervisor/usage_limits.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ACCOUNT = "0123456789abcdef";
const NEVER = new AbortController().signal;
const LOG = { debug: (): void => {}, info: (): void => {}, warning: (): void => {}, error: (): void => {} };
const START = new Date("2026-11-20T10:00:00Z");

function after(seconds: number): Date {
  return new Date(START.getTime() + seconds * 1_000);
}

/** The limits of one server, whose clock stands still. */
interface Yard extends AsyncDisposable {
  readonly limits: UsageLimits;
  /** Sets the clock so many seconds after the start. */
  set(seconds: number): void;
}

async function limitsYard(): Promise<Yard> {
  const temp = await tempDirectory();
  let now = START;
  const limits = new UsageLimits({ files: new UsageLimitFiles(temp.path), now: () => now, log: LOG });
  return {
    limits,
    set(seconds): void {
      now = after(seconds);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      limits.close();
      await temp[Symbol.asyncDispose]();
    },
  };
}

Deno.test("UsageLimits lets an account pass that has met no limit", async () => {
  await using yard = await limitsYard();
  assert.equal(await yard.limits.pass(ACCOUNT, NEVER), null);
  assert.equal(await yard.limits.until(ACCOUNT), null);
});

Deno.test("UsageLimits takes all who meet one limit for the same, and waits for the last word on its end", async () => {
  await using yard = await limitsYard();
  assert.deepEqual(await yard.limits.met(ACCOUNT, after(60)), after(60));
  assert.deepEqual(await yard.limits.met(ACCOUNT, after(50)), after(60));
  assert.deepEqual(await yard.limits.met(ACCOUNT, after(90)), after(90));
  assert.deepEqual(await yard.limits.until(ACCOUNT), after(90));
});

Deno.test("UsageLimits tries a limit that does not lift as promised less and less often", async () => {
  await using yard = await limitsYard();
  const waits: number[] = [];
  let seconds = 0;
  await yard.limits.met(ACCOUNT, after(0));
  for (let attempt = 0; attempt < 9; attempt++) {
    // What Codex says of it is long past.
    const until = await yard.limits.met(ACCOUNT, after(-100));
    const waited = (until.getTime() - after(seconds).getTime()) / 1_000;
    waits.push(waited);
    seconds += waited;
    yard.set(seconds);
  }
  assert.deepEqual(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
});

Deno.test("UsageLimits gives one probe, and lets the others pass when it has found the limit lifted", async () => {
  await using yard = await limitsYard();
  const { limits } = yard;
  await limits.met(ACCOUNT, after(60));
  yard.set(61);
  const probe = await limits.pass(ACCOUNT, NEVER);
  assert.ok(probe !== null);
  const others = [limits.pass(ACCOUNT, NEVER), limits.pass(ACCOUNT, NEVER)];
  assert.equal(await Promise.race([...others, Promise.resolve("none yet")]), "none yet");
  await probe.lift();
  assert.deepEqual(await Promise.all(others), [null, null]);
  probe[Symbol.dispose]();
});

Deno.test("UsageLimits gives the probe to the next one when the first ends without a finding", async () => {
  await using yard = await limitsYard();
  await yard.limits.met(ACCOUNT, after(60));
  yard.set(61);
  const first = await yard.limits.pass(ACCOUNT, NEVER);
  first?.[Symbol.dispose]();
  const second = await yard.limits.pass(ACCOUNT, NEVER);
  assert.ok(first !== null && second !== null);
  second[Symbol.dispose]();
});

Deno.test("UsageLimits lets no probe that was passed on free its place twice, or lift a limit that was met after it", async () => {
  await using yard = await limitsYard();
  const { limits } = yard;
  await limits.met(ACCOUNT, after(60));
  yard.set(61);
  const first = await limits.pass(ACCOUNT, NEVER);
  first?.[Symbol.dispose]();
  const second = await limits.pass(ACCOUNT, NEVER);
  first?.[Symbol.dispose]();
  const stopped = new AbortController();
  const third = limits.pass(ACCOUNT, stopped.signal);
  stopped.abort(new Error("stopped"));
  await assert.rejects(third, /stopped/);
  const until = await limits.met(ACCOUNT, after(90));
  await first?.lift();
  assert.deepEqual(await limits.until(ACCOUNT), until);
  await second?.lift();
  assert.deepEqual(await limits.until(ACCOUNT), until);
  second?.[Symbol.dispose]();
});

Deno.test("UsageLimits gives no probe of a limit that another server's has just met again", async () => {
  await using temp = await tempDirectory();
  const [files, others] = [new UsageLimitFiles(temp.path), new UsageLimitFiles(temp.path)];
  const [own, other] = [files, others].map((of) => new UsageLimits({ files: of, now: () => after(61), log: LOG }));
  assert.ok(own && other);
  await others.writeLimit(ACCOUNT, { until: after(60), attempts: 0 });
  const stopped = new AbortController();
  const takeProbe = files.takeProbe.bind(files);
  // Between the look at the limit and the one under the probe's lock.
  files.takeProbe = async (account): Promise<Disposable | null> => {
    await other.met(account, after(3_600));
    stopped.abort(new Error("stopped"));
    return await takeProbe(account);
  };
  await assert.rejects(own.pass(ACCOUNT, stopped.signal), /stopped/);
  for (const limits of [own, other]) limits.close();
});

Deno.test("UsageLimits lets whoever is stopped go", async () => {
  await using yard = await limitsYard();
  await yard.limits.met(ACCOUNT, after(3_600));
  const stopped = new AbortController();
  const waiting = yard.limits.pass(ACCOUNT, stopped.signal);
  stopped.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
});
