/** What worktrees cost beside git itself, in a repository of 10,000 files. */
import { join } from "node:path";
import { Conflicts } from "../../../src/git/conflicts.ts";
import type { Task } from "../../../src/task/task.ts";
import { tempRepo } from "../../helpers/temp_repo.ts";
import { type WorkYard, workYard } from "../../helpers/work_yard.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Rounds } from "../statistics.ts";
import { lineOf, plainLine, type RowResult } from "../table.ts";

const FILES = 10_000;
const CHANGED = 20;
const ROUNDS = 12;
const ADDS = 32;
const AGENTS = 8;
const MAX_SNAPSHOT = 1.3;
const ID = (number: number): string => number.toString(16).padStart(8, "0");

export const worktrees: Row = {
  name: "worktrees",
  title: `worktrees of ${FILES} files`,
  async run(): Promise<RowResult> {
    const files = Object.fromEntries(
      Array.from({ length: FILES }, (_, index) => [`d${index % 100}/f${index}`, `${index}\n`.repeat(20)]),
    );
    await using repo = await tempRepo({ files });
    await using yard = await workYard({}, { repo });
    const snapshot = await measureSnapshots(yard);
    const adds = await measureAdds(yard);
    const verdicts = await measureVerdicts(yard);
    return {
      lines: [
        lineOf(`snapshot, ${CHANGED} files changed; floor: git status, add -A, commit`, {
          rounds: snapshot,
          target: (toFloor) => ({ words: `≤ ${MAX_SNAPSHOT} × floor`, value: toFloor, bound: MAX_SNAPSHOT }),
        }),
        plainLine(`${ADDS} made at once; floor: git worktree add, one by one`, { values: adds.ms }),
        lineOf("conflict verdict of a pair; floor: git merge-tree", { rounds: verdicts }),
      ],
      checks: [{ what: `${OURS}: worktrees made`, found: adds.made, expected: ADDS }],
      notes: [],
    };
  },
};

async function change(path: string, round: number): Promise<void> {
  for (let index = 0; index < CHANGED; index++) {
    const number = (round * CHANGED + index * 7) % FILES;
    await Deno.writeTextFile(join(path, `d${number % 100}`, `f${number}`), `changed in round ${round}\n`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function made(yard: WorkYard, number: number): Promise<Task> {
  const task = await yard.task(ID(number));
  await yard.worktrees.prepare(task, new AbortController().signal);
  return task;
}

async function measureSnapshots(yard: WorkYard): Promise<Record<string, Rounds | undefined>> {
  const { repo, worktrees } = yard;
  const task = await made(yard, 0xa0);
  const plain = join(yard.state, "plain");
  await repo.git("worktree", "add", "--quiet", "-b", "plain", plain);
  const own = yard.pathOf(task.id);
  await worktrees.snapshot(task);
  let round = 0;
  const floor = {
    name: FLOOR,
    sample: async (): Promise<number[]> => {
      await change(plain, ++round);
      return [
        await timed(async () => {
          await repo.git("-C", plain, "status", "--porcelain");
          await repo.git("-C", plain, "add", "--all");
          await repo.git("-C", plain, "commit", "--quiet", "--message=m");
        }),
      ];
    },
  };
  const ours = {
    name: OURS,
    sample: async (): Promise<number[]> => {
      await change(own, ++round);
      return [await timed(() => worktrees.snapshot(task))];
    },
  };
  const { rounds } = await interleave([floor, ours], ROUNDS);
  return { [FLOOR]: rounds.get(FLOOR), [OURS]: rounds.get(OURS) };
}

async function measureAdds(
  yard: WorkYard,
): Promise<{ readonly ms: Record<string, number>; readonly made: number }> {
  const places = Array.from({ length: ADDS }, (_, index) => join(yard.state, `add_${index}`));
  const addPlain = (some: readonly string[]): Promise<number> =>
    timed(async () => {
      for (const place of some) await yard.repo.git("worktree", "add", "--quiet", "--detach", place);
    });
  // One half before and one behind: the disk is the slower the more has been written to it just now.
  const before = await addPlain(places.slice(0, ADDS / 2));
  const tasks = await Promise.all(places.map((_, index) => yard.task(ID(0x100 + index))));
  const signal = new AbortController().signal;
  const oursMs = await timed(() => Promise.all(tasks.map((task) => yard.worktrees.prepare(task, signal))));
  const after = await addPlain(places.slice(ADDS / 2));
  const listed = await yard.repo.git("worktree", "list", "--porcelain");
  return {
    ms: { [FLOOR]: before + after, [OURS]: oursMs },
    made: tasks.filter(({ id }) => listed.includes(`codex-swarm/${id}`)).length,
  };
}

async function measureVerdicts(yard: WorkYard): Promise<Record<string, Rounds | undefined>> {
  const { repo, git, content } = yard;
  const works: { readonly id: string; readonly oid: string }[] = [];
  for (let number = 0; number < AGENTS; number++) {
    const done = await yard.done(ID(0x200 + number), { "d1/f1": `agent ${number}\n`, [`own_${number}`]: "x\n" });
    works.push({ id: done.id, oid: done.state.outcome.work?.commit ?? "" });
  }
  const commonDir = join(await Deno.realPath(repo.path), ".git");
  const text = (await content.of(commonDir))("text");
  const pairs = works.flatMap((one, at) => works.slice(at + 1).map((other) => [one.oid, other.oid] as const));
  const floor = {
    name: FLOOR,
    sample: async (): Promise<number[]> => {
      const ms = await timed(async () => {
        for (const [one, other] of pairs) {
          await new Deno.Command("git", { args: ["-C", repo.path, "merge-tree", "--write-tree", one, other] }).output();
        }
      });
      return [ms / pairs.length];
    },
  };
  const ours = {
    name: OURS,
    // Nothing is known yet to a new one.
    sample: async (): Promise<number[]> => [await timed(() => new Conflicts(git).among(works, text)) / pairs.length],
  };
  const { rounds } = await interleave([floor, ours], 3);
  return { [FLOOR]: rounds.get(FLOOR), [OURS]: rounds.get(OURS) };
}
