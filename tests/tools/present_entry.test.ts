import assert from "node:assert/strict";
import { taskEntry } from "../../src/tools/present_entry.ts";
import type { Task } from "../../src/task/task.ts";
import { TASK } from "../helpers/tool_calls.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const RUNS = { startedAt: NOW, run: 1, input: "prompt.txt", prompts: 0, isDueAgain: false };

const CASES: readonly (readonly [what: string, state: Task["state"], status: string])[] = [
  ["waits for a limit", { status: "waiting", ...RUNS, until: new Date(NOW.getTime() + 1_000) }, "waiting"],
  ["waits for its turn after a limit", { status: "waiting", ...RUNS, until: NOW }, "queued"],
  ["waits for its turn between two runs", { status: "waiting", ...RUNS, until: null }, "queued"],
  ["runs", { status: "running", ...RUNS }, "running"],
];

for (const [what, state, status] of CASES) {
  Deno.test(`taskEntry() calls a task that ${what} ${status}, as codex_status does`, () => {
    assert.equal(taskEntry({ ...TASK, state }, NOW)["status"], status);
  });
}
