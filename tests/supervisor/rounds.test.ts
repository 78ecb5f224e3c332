import assert from "node:assert/strict";
import { join } from "node:path";
import type { Activity } from "../../src/process/run_host.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { Rounds } from "../../src/supervisor/rounds.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const CAP = 1_000_000;
const LINE = `${JSON.stringify({ type: "other", text: "x".repeat(970) })}\n`;

Deno.test("Rounds trims the events of a run again only when they have grown by a quarter of the cap", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { services } = yard;
  const sizes: number[] = [];
  let rounds = 0;
  const host = { ...yard.host, trimEvents: () => Promise.resolve(void sizes.push(followed.offset)) };
  const looks = new Rounds({
    own: () => (rounds++, [followed]),
    stop: () => Promise.resolve(),
    offlineTimeoutMs: 200,
    stallAfterMs: 60_000,
    stallAction: "report",
    services: { ...services, runner: { ...services.runner, host, maxEventBytes: CAP } },
  });
  const grow = async (bytes: number): Promise<void> => {
    await Deno.writeTextFile(followed.directory.eventsFile, LINE.repeat(bytes / LINE.length), { append: true });
    const before = rounds;
    await waitFor(() => rounds > before + 3, { message: "some rounds" });
  };
  looks.start();
  try {
    await grow(0.9 * CAP);
    assert.deepEqual(sizes, []);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 1);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 1);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 2);
  } finally {
    looks.stop();
  }
});

Deno.test("Rounds stops a run that goes on although its time is over, but leaves the shim's clock some seconds", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { timeoutMs } = followed.task.spec;
  const stopped: string[] = [];
  let rounds = 0;
  let steadyMs = 1_000_000;
  const looks = new Rounds({
    own: () => (rounds++, [followed]),
    stop: (id, reason) => Promise.resolve(void stopped.push(`${id} ${reason}`)),
    offlineTimeoutMs: 200,
    stallAfterMs: 2 * timeoutMs,
    stallAction: "report",
    services: yard.services,
    steadyMs: () => steadyMs,
  });
  const pass = async (ms: number): Promise<void> => {
    steadyMs += ms;
    const before = rounds;
    await waitFor(() => rounds > before + 2, { message: "some rounds" });
  };
  looks.start();
  try {
    await pass(0);
    await pass(timeoutMs + 5_000);
    assert.deepEqual(stopped, []);
    await pass(5_000);
    assert.equal(stopped[0], `${followed.task.id} timeout`);
  } finally {
    looks.stop();
  }
});

Deno.test("Rounds has it noted what descends from agents, of those alone that no sandbox holds", async () => {
  await using yard = await hostYard();
  const free = await yard.follow(new Date());
  const { task, directory } = free;
  const effectiveSandbox = { ...task.spec.effectiveSandbox, network: false };
  const held = new FollowedTask({ ...task, spec: { ...task.spec, effectiveSandbox } }, directory);
  const looks = new Rounds({
    own: () => [free, held],
    stop: () => Promise.resolve(),
    offlineTimeoutMs: 200,
    stallAfterMs: 60_000,
    stallAction: "report",
    services: yard.services,
  });
  looks.start();
  try {
    await waitFor(() => yard.asked.length > 1, { message: "two rounds" });
    assert.deepEqual([...new Set(yard.asked)], ["remember 1"]);
  } finally {
    looks.stop();
  }
});

/** Short, since all that passes here is to be less than what the run may take. */
const STALL_MS = 1_000;

interface StillRun extends AsyncDisposable {
  readonly path: string;
  /** The reasons for which it was to be stopped. */
  readonly stopped: readonly string[];
  /** Has find(1) do something else from then on. */
  find(script: string): void;
  /** How often files were looked through. */
  walks(): number;
  isStalled(): Promise<boolean | undefined>;
  /** Lets time pass, then some rounds. */
  pass(ms: number): Promise<void>;
  passUntil(condition: () => boolean): Promise<void>;
}

/** Rounds over a run in which nothing moves, with a find(1) that notes each walk and then does what the script says. */
async function stillRun(script: string): Promise<StillRun> {
  const yard = await hostYard();
  const followed = await yard.follow(new Date());
  await Deno.writeTextFile(followed.directory.eventsFile, "");
  const activity: Activity = { state: "S", cpuMs: 0, processes: 1 };
  const observe = (paths: readonly string[]): Promise<ReadonlyMap<string, Activity>> =>
    Promise.resolve(new Map(paths.map((path) => [path, activity])));
  const walksFile = join(yard.path, "walks");
  const find = (text: string): void =>
    writeExecutable(join(yard.path, "find"), `#!/bin/sh\necho walk >>"${walksFile}"\n${text}\n`);
  await Deno.writeTextFile(walksFile, "");
  const walks = (): number => Deno.readTextFileSync(walksFile).split("\n").length - 1;
  find(script);
  const stopped: string[] = [];
  let rounds = 0;
  let steadyMs = 1_000_000;
  const { services } = yard;
  const looks = new Rounds({
    own: () => (rounds++, [followed]),
    stop: (_id, reason) => Promise.resolve(void stopped.push(reason)),
    offlineTimeoutMs: 200,
    stallAfterMs: STALL_MS,
    stallAction: "stop",
    services: {
      ...services,
      runner: { ...services.runner, host: { ...yard.host, observe } },
      env: { PATH: `${yard.path}:${Deno.env.get("PATH")}` },
    },
    steadyMs: () => steadyMs,
  });
  const pass = async (ms: number): Promise<void> => {
    steadyMs += ms;
    const before = rounds;
    await waitFor(() => rounds > before + 3, { message: "some rounds" });
  };
  looks.start();
  // Its silence begins with the first look at it.
  await pass(0);
  return {
    path: yard.path,
    stopped,
    find,
    walks,
    isStalled: async (): Promise<boolean | undefined> => (await looks.silenceOf(followed))?.isStalled,
    pass,
    async passUntil(condition: () => boolean): Promise<void> {
      await waitFor(async () => {
        await pass(STALL_MS / 4);
        return condition();
      }, { message: `${condition}` });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      looks.stop();
      await yard[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Rounds calls a run stalled only when it is known that no file has changed", async () => {
  await using run = await stillRun("exit 1");
  await run.passUntil(() => run.walks() === 2);
  assert.deepEqual([await run.isStalled(), run.stopped], [false, []]);
  run.find("exit 0");
  await run.passUntil(() => run.stopped.length > 0);
  assert.deepEqual([await run.isStalled(), run.stopped[0]], [true, "stalled"]);
});

Deno.test("Rounds goes on while files are looked through, and looks once at a time for each run", async () => {
  await using run = await stillRun("exit 0");
  const gate = join(run.path, "gate");
  await new Deno.Command("mkfifo", { args: [gate] }).output();
  run.find(`read -r _ <"${gate}"`);
  await run.passUntil(() => run.walks() === 1);
  for (let round = 0; round < 3; round++) await run.pass(STALL_MS);
  assert.deepEqual([run.walks(), await run.isStalled(), run.stopped], [1, false, []]);
  run.find("exit 0");
  await Deno.writeTextFile(gate, "\n");
  await run.passUntil(() => run.stopped.length > 0);
  assert.equal(run.stopped[0], "stalled");
});
