import { type IndexFiles, isYoung } from "./index_files.ts";
import type { TaskHead, TaskHeads } from "./task_heads.ts";
import { type HistoryEntry, repositoryDigest, type TaskHistory } from "./task_history.ts";

/** What making an index anew has changed. */
export interface IndexRebuild {
  /** Tasks that there are. */
  readonly tasks: number;
  /** Tasks that the history lacked. */
  readonly added: readonly string[];
  /** Tasks that the history had, and that are gone. */
  readonly removed: readonly string[];
  /** Tasks whose record is none of ours; they have no entry. */
  readonly unreadable: readonly string[];
}

/**
 * Makes all entries from the tasks themselves. Servers that start and end tasks meanwhile note that as ever: what is
 * newer than `heads` stays.
 */
export async function rebuildIndex(
  heads: TaskHeads,
  { files, history }: { readonly files: IndexFiles; readonly history: TaskHistory },
): Promise<IndexRebuild> {
  const difference = await rebuildHistory(heads, { files, history });
  const tasks = heads.all();
  for (const { id, isFinished } of tasks) if (!isFinished) files.addLive(id);
  for (const id of await files.live()) if (heads.get(id)?.isFinished === true) await files.removeLive(id);
  for (const [threadId, head] of lastOfThreads(tasks)) await noteThread(files, { threadId, head, heads });
  await files.markComplete();
  return { tasks: tasks.length, ...difference, unreadable: heads.unreadable };
}

async function rebuildHistory(
  heads: TaskHeads,
  { files, history }: { readonly files: IndexFiles; readonly history: TaskHistory },
): Promise<Pick<IndexRebuild, "added" | "removed">> {
  const digests = new Map<string, string>();
  for (const { repository } of heads.all()) {
    if (!digests.has(repository)) digests.set(repository, await repositoryDigest(repository));
  }
  let added: string[] = [];
  let removed: string[] = [];
  const isReplaced = await history.replace(async (noted) => {
    const entries = new Map<string, HistoryEntry>(noted.map((entry) => [entry.id, entry]));
    const unread = [...entries.keys()].filter((id) => heads.get(id) === undefined);
    const there = new Set(await files.existing(unread));
    removed = unread.filter((id) => !there.has(id) && !isYoung(entries.get(id)?.at ?? 0));
    for (const id of removed) entries.delete(id);
    added = heads.all().map(({ id }) => id).filter((id) => !entries.has(id));
    for (const { id, repository, createdAt } of heads.all()) {
      entries.set(id, { id, repository: digests.get(repository) ?? "", at: createdAt.getTime() });
    }
    return [...entries.values()].sort((a, b) => a.at - b.at);
  });
  if (!isReplaced) throw new Error(`${history.path} is held by another server`);
  return { added, removed };
}

/** Of each thread the newest task. */
function lastOfThreads(tasks: readonly TaskHead[]): ReadonlyMap<string, TaskHead> {
  return new Map(tasks.flatMap((head) => head.threadId === null ? [] : [[head.threadId, head]]));
}

async function noteThread(
  files: IndexFiles,
  { threadId, head, heads }: { readonly threadId: string; readonly head: TaskHead; readonly heads: TaskHeads },
): Promise<void> {
  const noted = await files.thread(threadId);
  if (noted === head.id) return;
  // Another one that was there when the tasks were read is an older one; what came since is newer.
  if (noted !== null && heads.get(noted) === undefined && (await files.existing([noted])).length > 0) return;
  await files.setThread(threadId, head.id);
}
