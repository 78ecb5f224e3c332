/** What stands between the server and an agent's process; who it is depends on the operating system. */

/** What starting a run needs. */
export interface RunOptions {
  /** The task's directory; holds `prompt.txt`. */
  readonly directory: string;
  /** Number of this run within its task, from 1. */
  readonly run: number;
  /** Wall clock of the run. */
  readonly limitMs: number;
  /** How long the agent outlives the server; `null` for ever. */
  readonly graceMs: number | null;
  /** Existing directory in which a file named after the task appears when the run has ended. */
  readonly bell: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A run of this server's own. */
export interface HostedRun {
  /** Resolves when the run has ended, never rejects; what happened stands in its files. */
  readonly ended: Promise<void>;
  /** Lets go of the lifeline: a `graceMs` starts to count. */
  release(): Promise<void>;
}

/** A run that is over. */
export interface EndedRun {
  readonly state: "ended";
  /** 0–255, above 128 as a shell reports it; `null` when the agent was stopped before it could start. */
  readonly exitCode: number | null;
}

/** What a look at a run found. */
export type RunSighting =
  | EndedRun
  /** `isShimLost`: the agent lives, but nobody is left who will see its exit code. */
  | { readonly state: "running"; readonly isShimLost: boolean }
  /** Nobody lives who could say more. */
  | { readonly state: "lost" };

/** Starts and ends runs, and looks at those of any server. */
export interface RunHost {
  /** Makes ready what runs need, once. */
  prepare(): Promise<void>;
  /** Starts a run. Throws what the system says when that is impossible. */
  start(options: RunOptions): Promise<HostedRun>;
  /**
   * Ends a run of this or any other server, gently first; the first reason given stays. Settles when the agent is gone
   * or cannot be ended. Throws what the system says when that cannot even be tried; the reason is noted all the same.
   */
  stop(run: { readonly directory: string; readonly reason: string }): Promise<void>;
  /** Looks at a run from outside. One that was started milliseconds ago may look `lost`. */
  sight(run: { readonly directory: string; readonly run: number }): Promise<RunSighting>;
}
