import { shortOfRoom } from "../storage/room.ts";
import { TaskError } from "../task/errors.ts";

/** Refuses to fill a disk with worktrees up to its end, where agents could not even write down what they do. Throws {@linkcode TaskError}. */
export async function checkRoom(worktreesDir: string): Promise<void> {
  const reason = await shortOfRoom(worktreesDir);
  if (reason === null) return;
  throw new TaskError(
    "start_failed",
    `Cannot make a worktree in ${worktreesDir}: ${reason}. Make room there (codex_cleanup tells which worktrees can go), ` +
      "or name another place with CODEX_SWARM_WORKTREE_DIR.",
  );
}
