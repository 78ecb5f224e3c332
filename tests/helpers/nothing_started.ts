import assert from "node:assert/strict";
import { join } from "node:path";
import type { FakeCodex } from "./fake_codex.ts";
import type { Swarm } from "./swarm.ts";
import { namesIn } from "./temp_directory.ts";

/** Holds that no agent ran and that no task was left behind. */
export function assertNothingStarted(swarm: Swarm, codex: Pick<FakeCodex, "ledger">): void {
  assert.deepEqual({ runs: codex.ledger().length, tasks: tasksIn(join(swarm.stateDir, "tasks")) }, {
    runs: 0,
    tasks: [],
  });
}

function tasksIn(directory: string): string[] {
  try {
    return namesIn(directory).filter((name) => name !== ".index");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
