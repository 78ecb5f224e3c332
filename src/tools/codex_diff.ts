import * as z from "zod";
import type { DiffFile } from "../git/diff.ts";
import { taskIdOf } from "../task/agent_id.ts";
import type { Task } from "../task/task.ts";
import { cutMiddleForJson, takeFitting } from "./bounded_text.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";

/** Parts of an answer that the files and the patch may take as data, which is longer than as text. */
const FILES_SHARE = 0.35;
const PATCH_SHARE = 0.55;

export const codexDiff = defineTool({
  name: "codex_diff",
  title: "What a Codex agent changed",
  description:
    "What a task has changed in its worktree, also while it runs: files with added and removed lines, or the patch.",
  toolset: "codex",
  effect: "read",
  input: z.object({
    task_id: z.string().describe("Task id"),
    format: z.enum(["stat", "names", "patch"]).optional().describe("Default stat"),
    against: z.string().optional().describe("A commit; default where its branch began"),
    paths: z.array(z.string()).optional().describe("Only these"),
  }),
  output: z.looseObject({
    task_id: z.string().describe("Task id"),
    files: z.array(z.looseObject({
      path: z.string().describe("From the root of the repository"),
      kind: z.string().describe("add, update, delete or rename"),
    })).describe("What differs"),
    patch: z.string().optional().describe("With format=patch; cut in the middle when it is long"),
  }),
  handle: diffAnswer,
});

/** Compares, and words it in so many characters; also for those who are no tool. */
export async function diffAnswer(
  input: {
    readonly task_id: string;
    readonly format?: "stat" | "names" | "patch" | undefined;
    readonly against?: string | undefined;
    readonly paths?: string[] | undefined;
  },
  { answerChars }: Pick<ToolCall, "answerChars">,
  { supervisor, work }: Pick<ToolServices, "supervisor" | "work">,
): Promise<ToolAnswer> {
  const { task } = await supervisor.view(taskIdOf(input.task_id));
  const format = input.format ?? "stat";
  const { of, against, files, patch } = await work.diff({
    task,
    paths: input.paths ?? [],
    withPatch: format === "patch",
    ...(input.against === undefined ? {} : { against: input.against }),
  });
  const filesRoom = answerChars * (patch === null ? FILES_SHARE + PATCH_SHARE : FILES_SHARE);
  const { shown, rest } = takeFitting(files.map(dataOf), filesRoom);
  const lines = files.slice(0, shown.length).map((file) => format === "names" ? file.path : lineOf(file));
  const count = files.length === 1 ? "1 file differs" : `${files.length} files differ`;
  const heading = `Task ${task.id}: ${count} from ${against.slice(0, 12)} (${stateWords(of)})`;
  const more = rest === 0 ? [] : [`… ${rest} more files: name directories or files in paths`];
  const patchRoom = Math.floor(answerChars * PATCH_SHARE);
  const cut = patch === null ? null : cutMiddleForJson(patch.text, patchRoom, {
    wholeIn: wholeIn(task, of),
    length: patch.length,
  });
  return {
    text: [heading, ...lines, ...more, ...(cut === null ? [] : ["", cut])].join("\n"),
    structured: {
      task_id: task.id,
      of,
      against,
      files: shown,
      ...(rest === 0 ? {} : { files_not_shown: rest }),
      ...(cut === null ? {} : { patch: cut }),
    },
  };
}

/** Where all of a patch is to be seen. */
function wholeIn({ spec: { worktree } }: Task, of: "worktree" | "branch" | "snapshot"): string {
  return `file by file with paths, or by git diff in ${of === "worktree" ? worktree?.path : worktree?.checkout}`;
}

function stateWords(of: "worktree" | "branch" | "snapshot"): string {
  if (of === "worktree") return "its worktree as it is now";
  return of === "branch"
    ? "the end of its branch; the worktree is gone"
    : "its last snapshot; worktree and branch are gone";
}

function lineOf({ path, from, kind, added, removed }: DiffFile): string {
  const counts = added === null || removed === null ? "binary" : `+${added} -${removed}`;
  return `${kind} ${from === undefined ? "" : `${from} -> `}${path} (${counts})`;
}

function dataOf({ path, from, kind, added, removed }: DiffFile): Record<string, unknown> {
  return {
    path,
    kind,
    ...(from === undefined ? {} : { from }),
    ...(added === null ? { binary: true } : { added, removed }),
  };
}
