/** Lets the older part of all that has ended be removed, as a server does in time. */
import { join } from "node:path";
import { bellDirectory } from "../../src/codex/run_codex.ts";
import { Bell } from "../../src/storage/bell.ts";
import { OpenTasks } from "../../src/storage/open_tasks.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { Housekeeping } from "../../src/supervisor/housekeeping.ts";
import { isFinished } from "../../src/task/task.ts";
import { checkEnds } from "./checks.ts";
import type { ModelRequest } from "./requests.ts";
import { killProcess, lives, seeProcesses } from "./system_processes.ts";
import type { World } from "./world.ts";

/** Shorter than what housekeeping leaves an ended task anyway, so that this counts. */
const MAX_AGE_MS = 1;
const LEAST_AGE_MS = 10 * 60_000;

/** Removes this share of the tasks that have ended, the oldest. */
export async function ageOut(share: number, world: World): Promise<void> {
  await world.calls.settle();
  const records = await world.records();
  const ended = records.flatMap(({ id, request, task }) =>
    isFinished(task) ? [{ id, request, at: task.state.endedAt.getTime() }] : []
  ).toSorted((a, b) => a.at - b.at);
  // One that is to be told yet may have ended long ago.
  const signs = await Promise.all(
    records.filter(({ task }) => !isFinished(task)).map((record) => lastSign(record, world)),
  );
  const cutoff = Math.min(ended[Math.floor(share * ended.length)]?.at ?? 0, ...signs);
  await checkEnds(world);
  const old = ended.filter(({ at }) => at < cutoff);
  for (const { request } of old) request.isAged = true;
  const oldIds = new Set(old.map(({ id }) => id));
  // With its record goes what tells whose they are.
  for (const process of await seeProcesses()) {
    if (process.taskId !== undefined && oldIds.has(process.taskId)) await killProcess(process);
  }
  const nothing = (): void => undefined;
  const bell = new Bell(bellDirectory(world.stateDir));
  const housekeeping = new Housekeeping({
    stateDir: world.stateDir,
    tasksDir: world.tasksDir,
    taskMaxAgeMs: MAX_AGE_MS,
    index: new TaskIndex(world.tasksDir),
    open: new OpenTasks(join(world.stateDir, "open")),
    bell,
    work: { age: () => Promise.resolve() },
    log: {
      debug: (message, fields) => void world.broken.push(`${message}: ${JSON.stringify(fields)}`),
      info: nothing,
      warning: nothing,
      error: nothing,
    },
    now: () => new Date(cutoff + LEAST_AGE_MS),
  });
  for (const id of await housekeeping.clean()) {
    if (!oldIds.delete(id)) world.broken.push(`task ${id} was removed although it is not old enough`);
  }
  for (const id of oldIds) {
    world.broken.push(`task ${id} (${world.byTask.get(id)?.key}) is old enough but was not removed`);
  }
}

/** When a task may have ended that is not told to have yet; for ever from now if it still runs. */
async function lastSign(
  { id, request }: { readonly id: string; readonly request: ModelRequest },
  world: World,
): Promise<number> {
  const last = world.runsOf(id).at(-1);
  if (last !== undefined && !request.isShimKilled && await lives(last)) return Infinity;
  const directory = world.directory(id);
  const written = directory.lastEventAt();
  return (written ?? directory.lastSavedAt())?.getTime() ?? 0;
}
