import assert from "node:assert/strict";
import { join } from "node:path";
import { Git, type GitOptions, type GitResult } from "../../src/git/git.ts";
import { createLog } from "../../src/log.ts";
import { Forecast, type Overlap } from "../../src/work/forecast.ts";
import { Work } from "../../src/work/work.ts";
import type { Task } from "../../src/task/task.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

/** Counts what it runs, and how much of it at once. */
class CountingGit extends Git {
  readonly verbs: string[] = [];
  #running = 0;
  mostAtOnce = 0;

  override async run(args: readonly string[], options?: GitOptions): Promise<GitResult> {
    this.verbs.push(args.find((arg) => !arg.startsWith("-")) ?? "");
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
    try {
      return await super.run(args, options);
    } finally {
      this.#running--;
    }
  }

  /** What was run since the last time. */
  take(): string[] {
    return this.verbs.splice(0);
  }
}

/** One that a slow machine does not set forward. */
function standingClock(): { readonly now: () => Date; readonly pass: (ms: number) => void } {
  let nowMs = Date.now();
  return { now: () => new Date(nowMs), pass: (ms) => void (nowMs += ms) };
}

function forecastOf(
  { content, directories }: WorkYard,
  now: () => Date,
): { readonly forecast: Forecast; readonly git: CountingGit } {
  const git = new CountingGit(Deno.env.toObject());
  return { forecast: new Forecast({ git, content, directories, log: createLog({ level: "ERROR" }), now }), git };
}

const wordsOf = (overlaps: ReadonlyMap<string, readonly Overlap[]>): string[] =>
  [...overlaps].flatMap(([id, all]) =>
    all.map(({ taskId, files, conflicts }) =>
      `${id}-${taskId} ${files.join()}${conflicts.length === 0 ? "" : ` !${conflicts.join()}`}`
    )
  ).sort();

Deno.test("Forecast tells which tasks change the same files, and which of them cannot be merged", async () => {
  const lines = Array.from({ length: 9 }, (_, index) => `${index}\n`).join("");
  await using yard = await workYard({ "a": lines, "old": lines, "other": "o\n" });
  const clock = standingClock();
  const { forecast } = forecastOf(yard, clock.now);
  const top = await yard.done("0000000a", { "a": `first\n${lines}` });
  const end = await yard.done("0000000b", { "a": `${lines}last\n` });
  const clash = await yard.done("0000000c", { "a": `clash\n${lines}` });
  const alone = await yard.done("0000000d", { "alone": "x\n" });
  const renamed: Task[] = [];
  for (const [id, name] of [["0000000e", "new1"], ["0000000f", "new2"]] as const) {
    const task = await yard.task(id);
    await yard.worktrees.prepare(task, new AbortController().signal);
    await Deno.rename(join(yard.pathOf(id), "old"), join(yard.pathOf(id), name));
    renamed.push(await yard.end(task));
  }
  // One that still runs.
  const running = await yard.task("00000010");
  await yard.worktrees.prepare(running, new AbortController().signal);
  await Deno.writeTextFile(join(yard.pathOf(running.id), "other"), "running\n");
  const deletes = await yard.done("00000011", { "other": "" });
  await using elsewhere = await workYard({ "a": lines });
  const foreign = await elsewhere.done("00000012", { "a": `foreign\n${lines}` });
  const tasks = [top, end, clash, alone, ...renamed, running, deletes, foreign];
  assert.deepEqual(wordsOf(await forecast.among(tasks)), [
    "0000000a-0000000b a",
    "0000000a-0000000c a !a",
    "0000000b-0000000a a",
    "0000000b-0000000c a",
    "0000000c-0000000a a !a",
    "0000000c-0000000b a",
    "0000000e-0000000f old !new1,new2,old",
    "0000000f-0000000e old !new1,new2,old",
    "00000010-00000011 other !other",
    "00000011-00000010 other !other",
  ]);
  // What is merged is no longer anybody's; nor is what was taken away.
  await yard.repo.git("merge", "--quiet", `codex-swarm/${top.id}`);
  await yard.work.cleanup({ ids: [renamed[0]?.id ?? ""], isRehearsal: false });
  await yard.repo.git("branch", "--quiet", "-D", `codex-swarm/${renamed[0]?.id}`);
  clock.pass(60_000);
  assert.deepEqual(wordsOf(await forecast.among(tasks)).filter((line) => /0000000[aef]-/.test(line)), []);
});

Deno.test("Forecast asks git little, few at a time, and nothing twice", async () => {
  await using yard = await workYard({ "a": "a\n" });
  const clock = standingClock();
  const { forecast, git } = forecastOf(yard, clock.now);
  const tasks: Task[] = [];
  for (let number = 10; number < 22; number++) tasks.push(await yard.done(`000000${number}`, { "a": `${number}\n` }));
  git.take();
  const first = await forecast.among(tasks);
  assert.equal(first.get(tasks[0]?.id ?? "")?.length, 11);
  const verbs = git.take();
  assert.equal(verbs.filter((verb) => verb === "merge-tree").length, 12 + 12 * 11 / 2);
  assert.ok(verbs.filter((verb) => verb !== "merge-tree").length <= 16 * 12, `${verbs.length} commands`);
  assert.ok(git.mostAtOnce <= 4, `${git.mostAtOnce} at once`);
  assert.deepEqual(await forecast.among(tasks), first);
  assert.deepEqual(git.take(), []);
  // Only whether their branches have moved.
  clock.pass(60_000);
  assert.deepEqual(await forecast.among(tasks), first);
  assert.deepEqual([...new Set(git.take())], ["rev-parse"]);
  // One that goes on anew is looked at anew; only pairs with it are.
  await yard.repo.git("update-ref", `refs/heads/codex-swarm/${tasks[0]?.id}`, "main");
  await Deno.writeTextFile(join(yard.pathOf(tasks[0]?.id ?? ""), "a"), "more\n");
  clock.pass(60_000);
  await forecast.among(tasks);
  assert.equal(git.take().filter((verb) => verb === "merge-tree").length, 1 + 11);
});

Deno.test("Work.forecast() tells what was found last when it is not known in time", async () => {
  await using yard = await workYard({ "a": "a\n" });
  const tasks = [await yard.done("0000000a", { "a": "1\n" }), await yard.done("0000000b", { "a": "2\n" })];
  const gate = Promise.withResolvers<void>();
  let isSlow = false;
  class SlowGit extends CountingGit {
    override async run(args: readonly string[], options?: GitOptions): Promise<GitResult> {
      if (isSlow) await gate.promise;
      return await super.run(args, options);
    }
  }
  const git = new SlowGit(Deno.env.toObject());
  const { content, directories } = yard;
  const { now, pass } = standingClock();
  const work = new Work({
    git,
    content,
    directories,
    now,
    env: {},
    log: createLog({ level: "ERROR" }),
    stateDir: "/nowhere",
    worktreesDir: "/nowhere",
    retentionMs: 0,
    isInUse: () => Promise.resolve(null),
    check: () => Promise.resolve(null),
  });
  isSlow = true;
  assert.deepEqual(wordsOf(await work.forecast(tasks, 1)), []);
  isSlow = false;
  gate.resolve();
  const known = ["0000000a-0000000b a !a", "0000000b-0000000a a !a"];
  assert.deepEqual(wordsOf(await work.forecast(tasks, 60_000)), known);
  pass(60_000);
  isSlow = true;
  const later = Promise.withResolvers<void>();
  gate.promise = later.promise;
  git.take();
  assert.deepEqual(wordsOf(await work.forecast(tasks, 1)), known);
  assert.deepEqual(wordsOf(await work.forecast(tasks, 1)), known);
  pass(60_000);
  assert.deepEqual(wordsOf(await work.forecast(tasks.slice(0, 1), 1)), []);
  later.resolve();
  assert.deepEqual(wordsOf(await work.forecast(tasks, 60_000)), known);
  // What took long was begun once.
  assert.equal(git.take().length, 4);
});
