/** A list of a repository's tasks beside many more of other repositories. */
import { join } from "node:path";
import { get, tasksOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { startAgents, waitForAll } from "../crowd.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { lineOf, plainLine, type RowResult } from "../table.ts";
import { Yard } from "../yard.ts";

const ROUNDS = 3;
const TASKS = 10_000;
/** Every so many of them is of the repository that asks. */
const OURS_EVERY = 10;
const MODELS = 10;

export const list: Row = {
  name: "list",
  title: `lists of ${TASKS / OURS_EVERY} tasks among ${TASKS}; floor: a ping`,
  async run(bench): Promise<RowResult> {
    await using yard = await Yard.open(bench.ours);
    const models = await startAgents(yard.server, Array.from({ length: MODELS }, () => "quick: events=5"));
    await waitForAll(yard.server, models);
    await yard.leave();
    await multiply(join(yard.stateDir, "tasks"));
    const startedAt = performance.now();
    const server = await yard.start();
    const bootMs = performance.now() - startedAt;
    const readTasks = async (): Promise<{ readonly ms: number; readonly count: number }> => {
      const { result, ms } = await server.request("resources/read", { uri: "codex-swarm:///tasks" });
      const contents = get(result, "contents");
      const tasks: unknown = JSON.parse(String(get(Array.isArray(contents) ? contents[0] : null, "text")));
      return { ms, count: Array.isArray(tasks) ? tasks.length : 0 };
    };
    const first = await server.call("codex_status");
    const { rounds } = await interleave([
      { name: FLOOR, sample: async () => [(await server.request("ping", {})).ms] },
      { name: "status", sample: async () => [(await server.call("codex_status")).ms] },
      { name: "resource", sample: async () => [(await readTasks()).ms] },
    ], ROUNDS);
    const floor = rounds.get(FLOOR);
    return {
      lines: [
        plainLine("a new server until it has answered", { values: { [OURS]: bootMs } }),
        plainLine("its first codex_status without ids", { values: { [OURS]: first.ms } }),
        lineOf("codex_status without ids", { rounds: { [FLOOR]: floor, [OURS]: rounds.get("status") } }),
        lineOf("the tasks resource", { rounds: { [FLOOR]: floor, [OURS]: rounds.get("resource") } }),
      ],
      checks: [
        { what: `${OURS}: tasks listed by codex_status`, found: tasksOf(first).size, expected: 20 },
      ],
      notes: [`the tasks resource gives ${(await readTasks()).count} tasks`],
    };
  },
};

/**
 * Makes as many tasks as are wanted out of those that are there. Only their record is written; their other files, which
 * nobody changes any more, are links to those of the model.
 */
async function multiply(tasksDir: string): Promise<void> {
  const isTask = (name: string): boolean => /^[0-9a-f]{8}$/.test(name);
  const entries = [...Deno.readDirSync(tasksDir)].map(({ name }) => name);
  const ids = entries.filter(isTask);
  const models = ids.map((id) => {
    const files = [...Deno.readDirSync(join(tasksDir, id))].map(({ name }) => name);
    const record: unknown = JSON.parse(Deno.readTextFileSync(join(tasksDir, id, "task.json")));
    if (typeof record !== "object" || record === null) throw new Error("Cannot read a record");
    return { id, record, files: files.filter((name) => name !== "task.json") };
  });
  for (let number = models.length; number < TASKS; number++) {
    const model = models[number % models.length];
    if (model === undefined) continue;
    const id = number.toString(16).padStart(8, "0");
    const directory = join(tasksDir, id);
    const isOther = number % OURS_EVERY !== 0;
    const record = {
      ...model.record,
      id,
      createdAt: new Date(Date.now() - number * 1_000),
      ...(isOther ? { repository: `/elsewhere/${number % 7}/.git` } : {}),
    };
    Deno.mkdirSync(directory, { mode: 0o700 });
    Deno.writeTextFileSync(join(directory, "task.json"), JSON.stringify(record, null, 2), { mode: 0o600 });
    for (const name of model.files) Deno.linkSync(join(tasksDir, model.id, name), join(directory, name));
  }
  // What helps to find tasks is made anew from them when it is not there.
  for (const name of entries.filter((name) => !isTask(name))) {
    await Deno.remove(join(tasksDir, name), { recursive: true });
  }
}
