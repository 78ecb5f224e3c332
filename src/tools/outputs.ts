/** Output schemas: loose, because a field more must never make a client refuse an answer. */
import * as z from "zod";

const taskFields = {
  task_id: z.string().describe("Task id"),
  status: z.string().describe(
    "queued, running, waiting (usage limit), completed, failed, cancelled, timed_out or interrupted; not_found for an unknown id",
  ),
};

/** Of a call with a request-key that was made before. */
export const joinedOutput = z.boolean().optional().describe(
  "true: an earlier call with this request-key started it, and this one nothing",
);

/** One task: see `present_task.ts` for the other fields. */
export const taskOutput = z.looseObject(taskFields);

/** A run that was waited for, with the two fields of the former `codex mcp-server`. */
export const runOutput = z.looseObject({
  threadId: z.string().nullable().describe("Thread to continue with codex_reply"),
  content: z.string().describe("The agent's final message, or why there is none"),
  ...taskFields,
  joined: joinedOutput,
});

/** A task that was started and runs on, be it by an earlier call. */
export const startedOutput = z.looseObject({
  ...taskFields,
  joined: joinedOutput,
  next: z.string().describe("What to call next"),
});

/** Several tasks. */
export const tasksOutput = z.looseObject({
  tasks: z.array(taskOutput).describe("In the order asked for"),
  next: z.string().optional().describe("What to call next"),
});
