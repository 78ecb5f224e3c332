/** A moment without any server. */
import { waitFor } from "../helpers/wait_for.ts";
import type { LedgerRun } from "./agent_ledger.ts";
import { BrokenInvariant } from "./calls.ts";
import { noteGoing } from "./note_going.ts";
import { lives } from "./system_processes.ts";
import type { World } from "./world.ts";

/** What an agent may take from the end of its grace on: 3 s, and as much again for each signal but the last it ignores. */
const GONE_MS = 3_000 + 6_000;
/** What a busy machine may add to that. */
const BUSY_MS = 10_000;

/** Kills all servers; those bound to them must go, those that are not must stay. */
export async function blackOut(world: World): Promise<void> {
  await world.calls.settle();
  const { servers, options: { places, orphanGraceMs } } = world;
  await Promise.all(Array.from({ length: places }, async (_, place) => {
    await noteGoing(place, world);
    await servers.kill(place);
  }));
  await world.scan();
  await world.sample();
  const isUntouched = ({ taskId, keys }: LedgerRun): boolean => {
    const request = world.byTask.get(taskId);
    const key = keys.at(-1);
    return request?.lifetime === "detached" && request.stops.size === 0 && !request.isTold && !request.isAgentKilled &&
      request.agent.ending === null && key === request.key && !request.isReleased;
  };
  const detached = world.ledger.open.filter(isUntouched);
  const livingBound = async (): Promise<LedgerRun[]> => {
    await world.sample();
    const bound = world.ledger.open.filter(({ taskId }) => world.byTask.get(taskId)?.lifetime === "server-bound");
    const living = await Promise.all(bound.map(async (run) => await lives(run) ? [run] : []));
    return living.flat();
  };
  const timeoutMs = orphanGraceMs + GONE_MS + BUSY_MS;
  await waitFor(async () => (await livingBound()).length === 0, { message: "bound agents to go", timeoutMs })
    .catch(async () => {
      throw new BrokenInvariant(`agents have outlived their servers: ${JSON.stringify(await livingBound())}`);
    });
  for (const run of detached) {
    if (!await lives(run)) world.broken.push(`detached agent ${run.pid} of ${run.keys} has ended with its server`);
  }
}
