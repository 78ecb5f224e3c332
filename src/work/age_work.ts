/** What goes by itself of worktrees in which nobody has worked for long. */
import { listSnapshots } from "./work_refs.ts";
import { type RemoveServices, removeWork } from "./remove_work.ts";
import { snapshotWork } from "./snapshot_work.ts";
import { checkIdentity } from "./work_identity.ts";
import type { WorkDirectory } from "../storage/work_directory.ts";

/** Removes a worktree in which nobody has worked since; tells why not where that cannot be done. */
export async function ageWork(
  directory: WorkDirectory,
  { before, services }: { readonly before: Date; readonly services: RemoveServices },
): Promise<string | null> {
  const record = await directory.read().catch(() => null);
  const lastAt = record?.keptAt ?? record?.ready?.at;
  if (record === null || record.removed !== undefined || lastAt === undefined || lastAt >= before) return null;
  if (await hasChanged(directory, services).catch(() => false)) return "somebody has worked in it since";
  const removal = await removeWork(directory, services);
  return removal.kind === "kept" ? removal.reason : null;
}

/** Whether files are otherwise than when the last agent's turn was kept. They are kept then, as worked on just now. */
async function hasChanged(directory: WorkDirectory, services: RemoveServices): Promise<boolean> {
  using lock = await directory.lock(0);
  const record = lock === null ? null : await directory.read();
  if (record?.ready === undefined) return false;
  await checkIdentity(record);
  const { git, now } = services;
  const { commonDir, id } = record.spec;
  const last = (await listSnapshots(git, { commonDir, id })).at(-1);
  const { tree } = await snapshotWork(directory, record, services);
  if (last !== undefined && await git.text([`--git-dir=${commonDir}`, "rev-parse", `${last.oid}^{tree}`]) === tree) {
    return false;
  }
  await directory.write({ ...record, keptAt: now() });
  return true;
}
