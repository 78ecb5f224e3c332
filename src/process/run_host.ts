/** What stands between the server and an agent's process; who it is depends on the operating system. */

/** What starting a run needs. */
export interface RunOptions {
  /** The task's directory. */
  readonly directory: string;
  /** Number of this run within its task, from 1. */
  readonly run: number;
  /** Name of the file in `directory` that the agent reads as its prompt. */
  readonly input: string;
  /** Wall clock of the run. */
  readonly limitMs: number;
  /** How long the agent outlives the server; `null` for ever. */
  readonly graceMs: number | null;
  /** Existing directory in which a file named after the task appears when the run has ended, and `slots` with a slot. */
  readonly bell: string;
  /** A lock file whose lock shim and agent hold while the agent lives; `null` when somebody else holds it. */
  readonly slot: string | null;
  /** Directories in which a sandbox may leave empty mount points behind; none for sandboxes that make none. */
  readonly mountRoots: readonly string[];
  /** Size of `events.jsonl`, and of `stderr.log`, beyond which its middle is dropped. */
  readonly maxEventBytes: number;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** `slot_taken`: another run was faster; nothing was started and nothing noted. */
export type RunEnd = "ended" | "slot_taken";

/** A run of this server's own. */
export interface HostedRun {
  /** Resolves when the run has ended, never rejects; what happened stands in its files. */
  readonly ended: Promise<RunEnd>;
  /** Lets go of the lifeline: a `graceMs` starts to count. */
  release(): Promise<void>;
}

/** A signal that asks a process to end, or makes it. */
export type Signal = "INT" | "TERM" | "KILL";

/** Signals in order, each with the time that it is given. */
export type Ladder = readonly { readonly signal: Signal; readonly waitMs: number }[];

/** Used where no other ladder is asked for. */
export const DEFAULT_LADDER: Ladder = [
  { signal: "INT", waitMs: 2_000 },
  { signal: "TERM", waitMs: 2_000 },
  { signal: "KILL", waitMs: 2_000 },
];

/** What it took to end a run. */
export interface StopReport {
  /** Those that were sent, in order; none when nobody was there any more. */
  readonly signals: readonly Signal[];
  /** Whether the agent is known to have ended. */
  readonly isGone: boolean;
  /** Processes other than the agent that had to be killed. */
  readonly swept: number;
}

/** A run that is over. */
export interface EndedRun {
  readonly state: "ended";
  /** 0–255, above 128 as a shell reports it; `null` when the agent was stopped before it could start. */
  readonly exitCode: number | null;
  /** Whether the system killed processes for lack of memory during the run; `null` for exit codes other than 137. */
  readonly oom: "yes" | "no" | "unknown" | null;
}

/** What a look at a run found. */
export type RunSighting =
  | EndedRun
  /** `isShimLost`: the agent lives, but nobody is left who will see its exit code. */
  | { readonly state: "running"; readonly isShimLost: boolean }
  /** Nobody lives who could say more. */
  | { readonly state: "lost" };

/** What a run does at this moment. */
export interface Activity {
  /** The agent's, as /proc names it: R, S, D, Z, T. */
  readonly state: string;
  /** CPU time that the agent and all that belongs to it have used so far. */
  readonly cpuMs: number;
  /** The agent and all that belongs to it. */
  readonly processes: number;
}

/** Starts and ends runs, and looks at those of any server. */
export interface RunHost {
  /** Makes what a start needs, unless it is there. */
  prepare(): Promise<void>;
  /** How it can be told who lives and who holds slots: `flock`, then the shims hold them, or `none`, then the servers. */
  locks(): Promise<"flock" | "none">;
  /** Starts a run. Throws what the system says when that is impossible. */
  start(options: RunOptions): Promise<HostedRun>;
  /**
   * Ends the task of a run, of this or any other server, for good: climbs the ladder, by default
   * {@linkcode DEFAULT_LADDER}, then kills all processes that belong to the task; the first reason given stays. Settles
   * when they are gone or cannot be ended. Throws what the system says when that cannot even be tried; the reason is
   * noted all the same.
   */
  stop(run: { readonly directory: string; readonly reason: string; readonly ladder?: Ladder }): Promise<StopReport>;
  /** Ends one run only, with no other process than the agent: the task goes on with another run. As `stop` otherwise. */
  interrupt(run: { readonly directory: string; readonly run: number }): Promise<StopReport>;
  /** Looks at a run from outside. One that was started milliseconds ago may look `lost`. */
  sight(run: { readonly directory: string; readonly run: number }): Promise<RunSighting>;
  /**
   * Makes this server the one whose end counts for a run of another server that is bound to its own; while it holds the
   * task's lock that is so anyway, where there are locks.
   */
  adopt(directory: string): Promise<void>;
  /** Looks at what the latest runs in these task directories do; those that are gone are left out. */
  observe(directories: readonly string[]): Promise<ReadonlyMap<string, Activity>>;
  /** Notes all that descend from the agents in these task directories, who may be known by nothing else later. */
  remember(directories: readonly string[]): Promise<void>;
  /** Counts the processes that an ended run has left behind. */
  countLeftBehind(directory: string): Promise<number>;
  /**
   * Drops the middle of an `events.jsonl` that is larger than `maxBytes`, and notes in `events.dropped` which bytes; so
   * it does with `stderr.log`, and says so at its end. Without any effect where files cannot have holes.
   */
  trimEvents(directory: string, maxBytes: number): Promise<void>;
}
