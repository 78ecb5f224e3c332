import assert from "node:assert/strict";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { viewFinished } from "../../src/supervisor/task_view.ts";
import { TaskError } from "../../src/task/errors.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { codexStatus } from "../../src/tools/codex_status.ts";
import { codexWait } from "../../src/tools/codex_wait.ts";
import { findViews } from "../../src/tools/find_views.ts";
import type { ToolServices } from "../../src/tools/tool.ts";
import { TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";

const BROKEN = "ffffffff";

/** One task that has ended, and one at which no look succeeds. */
function services(logged: string[] = []): ToolServices {
  const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
  const task = finish(TASK, { at: new Date(), outcome, progress: emptyProgress() });
  const directory = new TaskDirectory("/nowhere", TASK.id);
  const unknown = (): Promise<never> => Promise.reject(new TaskError("unknown_task", "Cannot find it."));
  const broken = (): Promise<never> => Promise.reject(new RangeError("too deep"));
  return toolServices({
    view: (id) => id === BROKEN ? broken() : id !== TASK.id ? unknown() : viewFinished(task, directory, "done"),
    ended: (id) => id === BROKEN ? broken() : Promise.resolve(),
    markRead: () => Promise.resolve(),
  }, logged);
}

Deno.test("findViews() tells of a task that cannot be looked at beside the others, and logs why", async () => {
  const logged: string[] = [];
  const { views, missing } = await findViews([BROKEN, TASK.id], services(logged));
  assert.deepEqual(views.map(({ task }) => task.id), [TASK.id]);
  assert.deepEqual(missing.map(({ data }) => data), [{ task_id: BROKEN, status: "error", error: "too deep" }]);
  assert.deepEqual(logged, ["a task could not be looked at"]);
});

Deno.test("findViews() throws what keeps it from looking at any task", async () => {
  await assert.rejects(findViews([BROKEN], services()), new RangeError("too deep"));
});

Deno.test("codex_wait and codex_status answer for the others when one task cannot be looked at", async () => {
  const task_ids = [BROKEN, TASK.id];
  const call = toolCall({ answerChars: 10_000 });
  const answers = [
    await codexStatus.handle({ task_ids }, call, services()),
    await codexWait.handle({ task_ids }, call, services()),
    await codexWait.handle({ task_ids, until: "any" }, call, services()),
  ];
  for (const { text } of answers) {
    assert.match(text, /=== Task 0123abcd \(completed/i);
    assert.match(text, /=== Task ffffffff === too deep/);
  }
  // Whether that one has ended nobody knows.
  for (const { structured: { next } } of answers.slice(1)) {
    assert.match(String(next), /^STILL RUNNING, queued or not told yet; .* Call codex_wait\(task_ids=\["ffffffff"\]/);
  }
  const { structured } = await codexWait.handle({ task_ids: [BROKEN, "00000000"] }, call, services());
  assert.match(String(structured["next"]), /Call codex_wait\(task_ids=\["ffffffff"\]/);
});
