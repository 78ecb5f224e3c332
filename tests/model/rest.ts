/** All that runs comes to its end. */
import { isFinished } from "../../src/task/task.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { BrokenInvariant } from "./calls.ts";
import { checkSurvivors, compareServers } from "./checks.ts";
import type { LiveServer } from "./servers.ts";
import { seeProcesses } from "./system_processes.ts";
import type { World } from "./world.ts";

const ENDING = { code: 0, turn: "completed" } as const;
/** Longest time in which all must have ended: stops that have begun, and whatever was queued. */
const REST_MS = 90_000;
/** How long shims and keepers may take after the ends that they have told. */
const TIDY_MS = 15_000;

/** Lets all agents end; then everything that was ever said must be right. */
export async function rest(world: World): Promise<void> {
  await world.calls.settle();
  const server = await world.servers.at(0);
  for (const request of world.requests.values()) {
    if (request.isReleased || request.agent.ending !== null) continue;
    request.isReleased = true;
    await world.codex.release(request.key, ENDING);
  }
  await untilAllEnded(server, world);
  await world.calls.settleAll();
  const place = world.servers.free();
  // One that has seen nothing of all this must tell the same.
  if (place !== undefined) await world.servers.start(place);
  await compareServers(world);
  await endLeftBehind(server, world);
  await untilTidy(world);
}

async function untilAllEnded(server: LiveServer, world: World): Promise<void> {
  const open = async (): Promise<string[]> => {
    await world.sample();
    return (await world.records()).filter(({ task }) => !isFinished(task)).map(({ id }) => id);
  };
  const deadline = performance.now() + REST_MS;
  for (let ids = await open(); ids.length > 0; ids = await open()) {
    if (performance.now() > deadline) throw new BrokenInvariant(`tasks do not end: ${ids.join(", ")}`);
    const args = { task_ids: ids.slice(0, 8), until: "any" };
    const signal = AbortSignal.timeout(5_000);
    for (const data of (await world.ask(server, "codex_wait", { args, signal }))?.structured.tasks ?? []) {
      world.noteTold(data);
    }
  }
}

/** What an agent leaves behind that ends by itself is ended by a cancel. */
async function endLeftBehind(server: LiveServer, world: World): Promise<void> {
  const marks = new Set((await seeProcesses()).map(({ taskId }) => taskId));
  const signal = new AbortController().signal;
  for (const [id, request] of world.byTask) {
    if (request.isAged || !marks.has(id)) continue;
    if (!request.agent.hasChild) world.broken.push(`an agent of ended task ${id} (${request.key}) lives`);
    await world.ask(server, "codex_cancel", { args: { task_id: id }, signal });
  }
  await checkSurvivors([...world.byTask.keys()], world);
}

/** Nothing of ours runs any more but servers, and helpers of shims that were killed, which look up once a minute. */
async function untilTidy(world: World): Promise<void> {
  const left = async (): Promise<string[]> => {
    const commands = (await seeProcesses()).map(({ command }) => command).filter((command) =>
      command.includes(`${world.tasksDir}/`)
    );
    return commands.filter((command) =>
      ![...world.byTask].some(([id, { isShimKilled }]) => isShimKilled && command.includes(id))
    );
  };
  await waitFor(async () => (await left()).length === 0, { message: "shims to end", timeoutMs: TIDY_MS })
    .catch(async () => {
      throw new BrokenInvariant(`processes were left behind: ${(await left()).join("; ")}`);
    });
}
