import { noteStop, readExit } from "../process/run_files.ts";
import type { Ladder, StopReport } from "../process/run_host.ts";
import { isFinished, mayLeaveBehind, type StopReason } from "../task/task.ts";
import { FollowedTask } from "./followed_task.ts";
import type { Registry } from "./registry.ts";
import type { RunTaskServices } from "./services.ts";
import { isPassing, patiently } from "./start_trouble.ts";
import type { TaskTable } from "./task_table.ts";

/** How long a stopped run may take until its end is written down. */
const END_MS = 5_000;

/** What became of a request to stop. */
export interface StopAnswer {
  /**
   * `still_running` for a process that not even SIGKILL has ended yet; `unnoted` when nothing of the task runs any more,
   * but whoever drives it has not written that down yet.
   */
  readonly answer: "stopped" | "already_ended" | "still_running" | "unnoted";
  /** What it took; `null` where there was nothing to be signalled. */
  readonly report: StopReport | null;
}

/** Who asked can ask again. */
const NOTHING_DONE: StopReport = { signals: [], isGone: false, swept: 0 };

/** Stops a task and settles when it has ended, or cannot be ended. The first reason wins; an ended one stays as it is. */
export async function stopTask(
  id: string,
  { reason, ...how }: { readonly reason: StopReason; readonly ladder?: Ladder },
  { table, registry, services }: {
    readonly table: TaskTable;
    readonly registry: Registry;
    readonly services: RunTaskServices;
  },
): Promise<StopAnswer> {
  const { host } = services.runner;
  const stop = async (): Promise<StopReport> => {
    try {
      return await patiently(() => host.stop({ directory, reason, ...how }));
    } catch (error) {
      if (!isPassing(error)) throw error;
      services.log.warning("the system has no room to stop a task", { id, error });
      return NOTHING_DONE;
    }
  };
  const directory = registry.directory(id).path;
  const task = table.get(id)?.task ?? await registry.read(id);
  // What agents have left behind that ended by themselves.
  const endsRest = reason === "cancelled" && mayLeaveBehind(task);
  if (isFinished(task)) return { answer: "already_ended", report: endsRest ? await stop() : null };
  // Before anything is looked at: a look may take over a task that another server has left in its queue, and whoever
  // starts a run after it sees this.
  await noteStop(directory, reason);
  const found = await table.find(id);
  if (!(found instanceof FollowedTask)) return { answer: "already_ended", report: endsRest ? await stop() : null };
  found.noteStop(reason);
  await found.reread();
  const { state } = found.task;
  const hasRun = state.status === "running" || state.status === "waiting";
  const isThere = hasRun && (endsRest || await readExit(directory, state.run) === null);
  const report = isThere ? await found.noteStopping(stop()) : null;
  // A server in whose queue the task is finds the stop file then.
  await services.bell.ring(id);
  const finished = await found.finishedWithin(END_MS);
  if (finished === undefined) {
    const hasEnded = report?.isGone === true || await hasNoAgent(found);
    return { answer: hasEnded ? "unnoted" : "still_running", report };
  }
  const { status } = finished.state;
  return { answer: status === "completed" || status === "failed" ? "already_ended" : "stopped", report };
}

/** Tells whether no agent works for a stopped task, as far as its files say so. */
async function hasNoAgent(followed: FollowedTask): Promise<boolean> {
  await followed.reread();
  const { task: { state }, directory } = followed;
  return state.status !== "running" || await readExit(directory.path, state.run) !== null;
}
