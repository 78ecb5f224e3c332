import type { ModelRequest } from "./requests.ts";
import type { World } from "./world.ts";

/** Notes that what is bound to a server may end with it. */
export async function noteGoing(place: number, world: World): Promise<ModelRequest[]> {
  const server = await world.servers.in(place);
  const bound = [...world.requests.values()].filter((request) =>
    server !== undefined && request.server === server && request.lifetime === "server-bound"
  );
  for (const { stops } of bound) stops.add("interrupted");
  return bound;
}
