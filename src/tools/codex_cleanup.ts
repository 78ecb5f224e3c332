import * as z from "zod";
import type { CleanupEntry } from "../work/cleanup_work.ts";
import { takeFitting } from "./bounded_text.ts";
import { findWork } from "./find_work.ts";
import { reportProgress } from "./progress_reports.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";

/** Parts of an answer that the entries may take, as data and as text. */
const ENTRIES_SHARE = 0.6;
/** Clients give up after a minute. */
const TIME_MS = 30_000;

export const codexCleanup = defineTool({
  name: "codex_cleanup",
  title: "Clean up worktrees",
  description:
    "Remove worktrees of ended tasks that are merged, or those named; unmerged branches stay, and codex_restore brings all back.",
  toolset: "codex",
  effect: "destructive",
  input: z.object({
    task_ids: z.array(z.string()).optional().describe("Only these, merged or not"),
    dry_run: z.boolean().optional().describe("Only say what would go, default true"),
  }),
  output: z.looseObject({
    dry_run: z.boolean().describe("Whether nothing was removed"),
    worktrees: z.array(z.looseObject({
      id: z.string().describe("Of the worktree: its task's, or with a number when it was restored"),
      action: z.string().describe("remove, keep, gone, or later"),
      reason: z.string().describe("Why"),
    })).describe("Each one"),
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    const isRehearsal = input.dry_run !== false;
    const named = input.task_ids === undefined
      ? null
      : await Promise.all(input.task_ids.map((id) => findWork(id, services)));
    const ids = named === null ? null : [...new Set(named)];
    await using _reports = reportProgress(call, () => Promise.resolve("Looking through worktrees"));
    const all = await services.work.cleanup({ ids, isRehearsal, timeMs: TIME_MS });
    // What goes is told first: not all may fit.
    const entries = (["remove", "keep", "gone", "later"] as const).flatMap((kind) =>
      all.filter(({ action }) => action === kind)
    );
    const { shown, rest } = takeFitting(entries.map(dataOf), call.answerChars * ENTRIES_SHARE);
    const count = all.filter(({ action }) => action === "remove").length;
    const later = all.filter(({ action }) => action === "later").length;
    const heading = isRehearsal
      ? `Would remove ${count} of ${entries.length} worktrees${count === 0 ? "." : "; dry_run=false does it."}`
      : `Removed ${count} of ${entries.length} worktrees.`;
    const after = later === 0 ? [] : [`There was no time for ${later} of them: call again, or name some.`];
    const lines = entries.slice(0, shown.length).map((entry) => lineOf(entry, isRehearsal));
    return {
      text: [heading, ...after, ...lines, ...(rest === 0 ? [] : [`… ${rest} more`])].join("\n"),
      structured: {
        dry_run: isRehearsal,
        worktrees: shown,
        ...(later === 0 ? {} : { left_for_later: later }),
        ...(rest === 0 ? {} : { not_shown: rest }),
      },
    };
  },
});

function dataOf(
  { spec, title, action, reason, isBranchGone, restorableUntil, notKept }: CleanupEntry,
): Record<string, unknown> {
  return {
    id: spec.id,
    ...(title === undefined ? {} : { title }),
    worktree_path: spec.path,
    worktree_branch: spec.branch,
    action,
    reason,
    ...(action === "keep" || action === "later" ? {} : {
      keeps_branch: !isBranchGone,
      restorable_until: restorableUntil?.toISOString() ?? "without end",
    }),
    ...(notKept.length === 0 ? {} : { not_kept: notKept }),
  };
}

function lineOf(
  { spec, action, reason, isBranchGone, restorableUntil, notKept }: CleanupEntry,
  isRehearsal: boolean,
): string {
  const until = restorableUntil === null ? "without end" : `until ${restorableUntil.toISOString().slice(0, 10)}`;
  if (action === "keep") return `${spec.id} keeps ${spec.path}: ${reason}`;
  if (action === "later") return `${spec.id}: ${reason}`;
  const branch = isBranchGone ? ` and branch ${spec.branch}` : `, keeps branch ${spec.branch}`;
  const lost = notKept.length === 0 ? "" : `; in no snapshot: ${notKept.join(", ")}`;
  if (action === "gone") return `${spec.id} was removed before; restorable ${until}`;
  return `${spec.id} ${
    isRehearsal ? "would remove" : "removed"
  } ${spec.path}${branch}: ${reason}; restorable ${until}${lost}`;
}
