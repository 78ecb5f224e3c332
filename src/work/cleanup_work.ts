/** What is taken away of worktrees whose agents have ended. */
import { readBranch } from "../git/branch_facts.ts";
import type { WorkDirectories, WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import { FewAtOnce } from "../process/few_at_once.ts";
import { type RemoveServices, removeWork, whyKept } from "./remove_work.ts";
import { type WorkFacts, workFacts } from "./work_facts.ts";

/** Worktrees looked through at once. */
const LOOKED_AT_ONCE = 4;

export interface CleanupServices extends RemoveServices {
  readonly directories: WorkDirectories;
  /** How long what was taken away is kept where another branch has all of it. */
  readonly retentionMs: number;
}

export interface CleanupRequest {
  /** `null`: all. */
  readonly ids: readonly string[] | null;
  /** Nothing is done. */
  readonly isRehearsal: boolean;
  /** What is not begun by then stays for the next time. Default all is done. */
  readonly timeMs?: number;
}

/** What cleaning up does, would do or has done with one worktree. */
export interface CleanupEntry {
  readonly spec: WorktreeSpec;
  readonly title?: string;
  /** `gone`: it was taken away before; `later`: there was no time to look at it. */
  readonly action: "remove" | "keep" | "gone" | "later";
  /** Why, in words. */
  readonly reason: string;
  /** The branch goes too, since another one has all of it. */
  readonly isBranchGone: boolean;
  /** `null`: without end. */
  readonly restorableUntil: Date | null;
  /** What no snapshot has, by path. */
  readonly notKept: readonly string[];
}

/**
 * Tells what would become of worktrees, and does it unless it is a rehearsal: without `ids` those go of which another
 * branch has everything; those that are named go too if not, but then their branches stay.
 */
export async function cleanupWork(
  { ids, isRehearsal, timeMs = Infinity }: CleanupRequest,
  services: CleanupServices,
): Promise<CleanupEntry[]> {
  const endMs = performance.now() + timeMs;
  const few = new FewAtOnce(LOOKED_AT_ONCE);
  const all = (ids ?? (await services.directories.ids()).toSorted()).map((id) =>
    few.run(async () => {
      const directory = services.directories.of(id);
      const record = await directory.read().catch(() => null);
      if (record === null) return null;
      if (performance.now() > endMs) {
        return entryOf(record, { action: "later", reason: "there was no time to look at it" });
      }
      return await cleanUp(directory, record, { isNamed: ids !== null, isRehearsal, services });
    })
  );
  return (await Promise.all(all)).filter((entry) => entry !== null);
}

async function cleanUp(
  directory: WorkDirectory,
  record: WorkRecord,
  { isNamed, isRehearsal, services }: {
    readonly isNamed: boolean;
    readonly isRehearsal: boolean;
    readonly services: CleanupServices;
  },
): Promise<CleanupEntry> {
  const { spec, removed } = record;
  if (removed !== undefined) {
    const isBranchGone = await readBranch(services.git, spec.commonDir, `refs/heads/${spec.branch}`) === null;
    const restorableUntil = endOf(record, services);
    return entryOf(record, { action: "gone", reason: "it was removed before", isBranchGone, restorableUntil });
  }
  const keep = (reason: string): CleanupEntry => entryOf(record, { action: "keep", reason });
  const user = await whyKept(record, services);
  if (user !== null) return keep(user);
  if (isRehearsal || !isNamed) {
    const facts = await workFacts(directory, record, services);
    const reason = isNamed || isElsewhere(facts) ? null : reasonToKeep(record, facts);
    if (reason !== null) return keep(reason);
    if (isRehearsal) return wouldRemove(record, { facts, services });
  }
  const removal = await removeWork(directory, services);
  if (removal.kind === "kept") return keep(removal.reason);
  const { isBranchGone, notKept, facts } = removal;
  const restorableUntil = endOf(removal.record, services);
  const reason = reasonToRemove(record, facts);
  return entryOf(record, { action: "remove", reason, isBranchGone, restorableUntil, notKept });
}

function entryOf(
  { spec, title }: WorkRecord,
  entry: Pick<CleanupEntry, "action" | "reason"> & Partial<CleanupEntry>,
): CleanupEntry {
  return {
    spec,
    ...(title === undefined ? {} : { title }),
    isBranchGone: false,
    restorableUntil: null,
    notKept: [],
    ...entry,
  };
}

function wouldRemove(
  record: WorkRecord,
  { facts, services: { now, retentionMs } }: { readonly facts: WorkFacts; readonly services: CleanupServices },
): CleanupEntry {
  const { unknown, tip, isMerged, hasIgnored } = facts;
  return entryOf(record, {
    action: "remove",
    reason: reasonToRemove(record, facts),
    isBranchGone: unknown === undefined && (tip === null || isMerged),
    restorableUntil: isElsewhere(facts) && !hasIgnored ? new Date(now().getTime() + retentionMs) : null,
  });
}

function isElsewhere({ isMerged, isAllOnBranch }: WorkFacts): boolean {
  return isMerged && isAllOnBranch;
}

function reasonToRemove({ spec }: WorkRecord, facts: WorkFacts | null): string {
  if (facts === null || !isElsewhere(facts)) return "it was named";
  return `${shortName(spec.baseBranch)} has all of it${facts.hasIgnored ? " but what git ignores" : ""}`;
}

/** Why a worktree of an agent that has ended is not taken away by itself. */
function reasonToKeep({ spec }: WorkRecord, { tip, isAllOnBranch, isMerged, unknown }: WorkFacts): string {
  if (unknown !== undefined) return `it cannot be told what is in it: ${unknown}`;
  if (tip === null) return `its branch ${spec.branch} is gone`;
  if (!isAllOnBranch) return `not all of it is on ${spec.branch}`;
  if (spec.baseBranch === undefined) return "it began on no branch";
  return isMerged ? "" : `${shortName(spec.baseBranch)} has not all of ${spec.branch}`;
}

/** Until when a removed worktree is restorable: without end while nothing else has all of it. */
function endOf({ integratedAt }: WorkRecord, { retentionMs }: CleanupServices): Date | null {
  return integratedAt === undefined ? null : new Date(integratedAt.getTime() + retentionMs);
}

function shortName(ref: string | undefined): string {
  return ref?.replace(/^refs\/heads\//, "") ?? "no branch";
}
