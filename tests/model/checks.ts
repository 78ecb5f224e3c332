/** What must hold at any moment. */
import { TaskIndex } from "../../src/storage/task_index.ts";
import { isFinished } from "../../src/task/task.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { BrokenInvariant } from "./calls.ts";
import { startedTwice, wrongEnd } from "./requests.ts";
import type { LiveServer } from "./servers.ts";
import { lives, seeProcesses } from "./system_processes.ts";
import type { World } from "./world.ts";

/** Ids asked for at once: so few that all of each fits into the answer. */
const ASKED_AT_ONCE = 8;
/** How long servers may differ: what another one does is heard of at once, or at the next look. */
const EQUAL_MS = 20_000;

/** Compares what all servers tell of all tasks with what stands on disk, until it is the same. */
export async function compareServers(world: World): Promise<void> {
  await world.calls.settle();
  const servers = await world.servers.all();
  let difference = "";
  const isSame = async (): Promise<boolean> => {
    difference = "";
    const records = await world.records();
    for (const { id, request, task } of records) {
      if (request.isCancelled && !isFinished(task)) difference ||= `${id} is ${task.state.status} after a cancel`;
    }
    const written = new Map(records.map(({ id, task }) => [id, task.state.status]));
    for (const server of servers) {
      const told = await statuses([...written.keys()], server, world);
      for (const [id, status] of written) {
        // Without a usage limit, a task that waits between two runs is in the queue.
        if (told.get(id) !== (status === "waiting" ? "queued" : status)) {
          difference ||= `${id} is ${status}, but a server says ${told.get(id)}`;
        }
      }
    }
    return difference === "";
  };
  await waitFor(isSame, { message: "all servers to say the same", timeoutMs: EQUAL_MS }).catch((error) => {
    throw new BrokenInvariant(difference || String(error));
  });
  await checkEnds(world);
}

/** What a server says of the tasks. */
export async function statuses(
  ids: readonly string[],
  server: LiveServer,
  world: World,
): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
    const args = { task_ids: ids.slice(at, at + ASKED_AT_ONCE) };
    const answer = await world.ask(server, "codex_status", { args, signal: new AbortController().signal });
    for (const data of answer?.structured.tasks ?? []) {
      world.noteTold(data);
      told.set(data.task_id, data.status);
    }
  }
  return told;
}

/** Compares the ends of all tasks with what their agents wrote down, and with what was told of them before. */
export async function checkEnds(world: World): Promise<void> {
  const records = await world.records();
  await world.ledger.refresh();
  for (const { id, request, task } of records) {
    if (!isFinished(task)) continue;
    await world.noteRecord(task);
    const end = world.ends.get(id);
    if (end === undefined || end.isChecked === true) continue;
    end.isChecked = true;
    const { status, exitCode } = task.state.outcome;
    const runs = world.runsOf(id);
    const wrong = wrongEnd(request, runs, { status, exitCode });
    if (wrong !== null) world.broken.push(`task ${id} (${request.key}): ${wrong}; ${JSON.stringify(runs)}`);
    for (const run of runs) {
      if (await lives(run)) {
        world.broken.push(`task ${id} (${request.key}) has ended as ${status}, but its agent lives`);
      }
    }
  }
  // For tasks that have come since: their agents may be in the ledger already.
  await world.scan();
  checkLedger(world);
  await checkIndex(records, world);
}

/** Each task is found without its id. */
async function checkIndex(records: Awaited<ReturnType<World["records"]>>, world: World): Promise<void> {
  const index = new TaskIndex(world.tasksDir, { isReadOnly: true });
  const [listed, live] = await Promise.all([index.newestIds({ limit: Infinity }), index.liveIds()]);
  for (const { id, request, task } of records) {
    if (!listed.includes(id)) world.broken.push(`task ${id} (${request.key}) is in no list`);
    if (isFinished(task) || live.includes(id)) continue;
    // It may have ended meanwhile.
    const now = await world.directory(id).read();
    if (now !== null && !isFinished(now)) world.broken.push(`task ${id} (${request.key}) is not among those that live`);
  }
}

function checkLedger({ ledger, broken, byTask, requests, strangers, servers }: World): void {
  for (const key of startedTwice(ledger.runs)) broken.push(`${key} was started twice`);
  for (const clash of ledger.clashes) broken.push(`two agents at once on one thread: ${JSON.stringify(clash)}`);
  for (const { taskId, keys } of ledger.runs) {
    const family = byTask.get(taskId)?.family;
    for (const key of keys) {
      if (requests.get(key)?.family !== family) broken.push(`${key} was started for task ${taskId} of ${family}`);
    }
  }
  broken.push(...strangers.ended, ...servers.complaints);
}

/** No process says any more that it belongs to one of these tasks. */
export async function checkSurvivors(ids: readonly string[], world: World): Promise<void> {
  const gone = new Set(ids);
  for (const { pid, command, taskId } of await seeProcesses()) {
    if (taskId !== undefined && gone.has(taskId)) {
      world.broken.push(`${command} (${pid}) has outlived task ${taskId} (${world.byTask.get(taskId)?.key})`);
    }
  }
}
