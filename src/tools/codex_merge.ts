import * as z from "zod";
import { MERGE_MODES, type MergeMode } from "../git/merge_branches.ts";
import type { MergeResult } from "../work/merge_work.ts";
import { taskIdOf } from "../task/agent_id.ts";
import { TaskError } from "../task/errors.ts";
import { cutMiddleForJson, takeFitting } from "./bounded_text.ts";
import { reportProgress } from "./progress_reports.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";
import { threadIdOf } from "./task_facts.ts";
import type { ViewedTask } from "./viewed_task.ts";
import { viewTask } from "./viewed_task.ts";

/** Parts of an answer: names of files in conflict, and what is in them. */
const NAMES_SHARE = 0.15;
const HUNKS_SHARE = 0.25;

/** How a merge was asked for, for the calls that lead on. */
interface MergeParameters {
  readonly into: string | undefined;
  readonly mode: MergeMode | undefined;
  readonly check: string | undefined;
  readonly update_checkout: boolean | undefined;
}

export const codexMerge = defineTool({
  name: "codex_merge",
  title: "Merge what Codex agents made",
  description:
    "Bring the branches of ended tasks with worktrees into a branch, in order, in memory: all or nothing. On a " +
    "conflict or a failed check nothing changes, and the answer says which task it is and how to hand it back.",
  toolset: "codex",
  effect: "destructive",
  input: z.object({
    task_id: z.string().optional().describe("Task id"),
    task_ids: z.array(z.string()).optional().describe("Several, in this order"),
    into: z.string().optional().describe("Branch; default the one the first began on"),
    mode: z.enum(MERGE_MODES).optional().describe("Default merge"),
    check: z.string().optional().describe("Command that must succeed on each step; runs in Codex's sandbox"),
    update_checkout: z.boolean().optional().describe("Let the checkout that stands on the branch follow, if clean"),
  }),
  output: z.looseObject({
    merged: z.boolean().describe("Whether the branch has moved"),
    into: z.string().describe("The branch"),
    next: z.string().optional().describe("What to call next"),
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    const ids = [...(input.task_id === undefined ? [] : [input.task_id]), ...input.task_ids ?? []].map(taskIdOf);
    if (ids.length === 0) throw new TaskError("invalid_argument", "Cannot merge: name task_id or task_ids.");
    const views = await Promise.all([...new Set(ids)].map((id) => viewTask(id, services)));
    await using _reports = reportProgress(call, () => Promise.resolve("Merging"));
    const result = await services.work.merge({
      tasks: views.map(({ task }) => task),
      signal: call.signal,
      mode: input.mode ?? "merge",
      updatesCheckout: input.update_checkout === true,
      ...(input.into === undefined ? {} : { into: input.into }),
      ...(input.check === undefined ? {} : { check: input.check }),
    });
    if (result.kind === "merged") return mergedAnswer(result, { views, answerChars: call.answerChars });
    const culprit = views.find(({ task }) => task.id === result.culprit.id);
    const before = views.slice(0, views.findIndex((view) => view === culprit)).map(({ task }) => task.id);
    const { into, mode, check, update_checkout } = input;
    const parameters = { into, mode, check, update_checkout };
    return failedAnswer(result, { culprit, before, parameters, answerChars: call.answerChars });
  },
});

function mergedAnswer(
  { into, from, to, checkout, notes: all }: Extract<MergeResult, { kind: "merged" }>,
  { views, answerChars }: { readonly views: readonly ViewedTask[]; readonly answerChars: number },
): ToolAnswer {
  const notes = takeFitting(all, answerChars * NAMES_SHARE).shown;
  const ids = views.map(({ task }) => task.id);
  const place = checkout === null ? "" : `; the files in ${checkout} have followed`;
  const words = from === to ? `${into} has all of it already` : `${into} is at ${to} now${place}`;
  return {
    text: [`Merged ${ids.join(", ")}: ${words}.`, ...notes].join("\n"),
    structured: {
      merged: true,
      into,
      from,
      to,
      task_ids: ids,
      ...(checkout === null ? {} : { checkout }),
      ...(notes.length === 0 ? {} : { notes }),
    },
  };
}

function failedAnswer(
  result: Exclude<MergeResult, { kind: "merged" }> & { readonly notes: readonly string[] },
  { culprit, before, parameters, answerChars }: {
    readonly culprit: ViewedTask | undefined;
    /** Ids of the tasks that were to be merged before it. */
    readonly before: readonly string[];
    readonly parameters: MergeParameters;
    readonly answerChars: number;
  },
): ToolAnswer {
  const { id } = result.culprit;
  const notes = takeFitting(result.notes, answerChars * NAMES_SHARE).shown;
  const threadId = culprit === undefined ? null : threadIdOf(culprit);
  const isConflict = result.kind === "conflict";
  const why = isConflict ? `its changes conflict with ${result.into}` : `the check failed on it`;
  const next = nextSteps(result, { threadId, before, parameters });
  const detail = isConflict ? result.hunks : result.reason;
  const named = isConflict ? takeFitting(result.merged.files, answerChars * NAMES_SHARE) : { shown: [], rest: 0 };
  const wholeIn = isConflict ? "in the files, once merged by the call below" : "what the command says when it is run";
  const shown = cutMiddleForJson(detail, Math.floor(answerChars * HUNKS_SHARE), { wholeIn });
  return {
    text: [
      `Nothing was merged: task ${id}, ${why}. ${result.into} is as it was.`,
      ...named.shown.map((file) => `Conflict: ${file}`),
      ...(named.rest === 0 ? [] : [`… ${named.rest} more files`]),
      ...notes,
      shown,
      next,
    ].join("\n"),
    structured: {
      merged: false,
      into: result.into,
      culprit: id,
      reason: isConflict ? "conflict" : "check_failed",
      ...(isConflict
        ? { conflicts: named.shown, conflicts_not_shown: named.rest || undefined, hunks: shown }
        : { check_output: shown }),
      ...(notes.length === 0 ? {} : { notes }),
      next,
    },
    isError: true,
  };
}

/** How to hand the work back to its agent; what comes before it has to be there to be merged with. */
function nextSteps(
  { kind, culprit, into }: Exclude<MergeResult, { kind: "merged" }>,
  { threadId, before, parameters }: {
    readonly threadId: string | null;
    readonly before: readonly string[];
    readonly parameters: MergeParameters;
  },
): string {
  const others = wordCall("codex_merge", { task_ids: before, ...parameters });
  const first = before.length === 0 ? "" : `First merge the others: ${others}. `;
  // What is resolved in a merge would be left out of a rebase.
  const mode = parameters.mode === "rebase" ? "squash" : parameters.mode;
  const again = `then ${wordCall("codex_merge", { task_id: culprit.id, ...parameters, mode })} again.`;
  if (threadId === null) {
    return `${first}Merge ${into} into ${culprit.spec.worktree?.branch} in ${culprit.spec.worktree?.path} and mend it there, ${again}`;
  }
  const task = kind === "conflict"
    ? "Resolve the conflicts marked in its files."
    : `On both together this check fails, mend that: ${parameters.check}`;
  const prompt = `${into} was merged into your worktree. ${task}`;
  return `${first}Hand it back: ${wordCall("codex_reply", { threadId, merge: into, prompt })}, ${again}`;
}

function wordCall(tool: string, parameters: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return `${tool}(${given.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")})`;
}
