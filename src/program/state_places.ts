/** Where what belongs to no task stands in the state directory. */
import { join } from "node:path";
import type { Config } from "../config.ts";

type State = Pick<Config, "stateDir">;

/** Where servers note the addresses at which they listen. */
export function endpointsDirectory({ stateDir }: State): string {
  return join(stateDir, "http");
}

/** What is known of the installed Codex. */
export function probeCache({ stateDir }: State): string {
  return join(stateDir, "codex_probe.json");
}
