import type { FollowedTask } from "./followed_task.ts";
import type { Worktrees } from "../work/worktrees.ts";

/** How often. */
const EVERY_MS = 5 * 60_000;

/** Keeps what is in the worktrees of running agents from time to time, for the case that all else fails. */
export class SnapshotRounds {
  readonly #own: () => readonly FollowedTask[];
  readonly #worktrees: Pick<Worktrees, "snapshot">;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #round: Promise<void> | undefined;

  constructor(
    { own, worktrees, everyMs = EVERY_MS }: {
      /** The tasks that this server drives. */
      readonly own: () => readonly FollowedTask[];
      readonly worktrees: Pick<Worktrees, "snapshot">;
      readonly everyMs?: number;
    },
  ) {
    this.#own = own;
    this.#worktrees = worktrees;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#round ??= this.#look().finally(() => this.#round = undefined);
    }, this.#everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    for (const { task } of this.#own()) if (task.state.status === "running") await this.#worktrees.snapshot(task);
  }
}
