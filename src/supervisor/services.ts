/** What the parts of the supervisor share. */
import type { CodexRunner } from "../codex/run_codex.ts";
import type { Log } from "../log.ts";
import type { Bell } from "../storage/bell.ts";
import type { ColdStart } from "./cold_start.ts";

/** What ending a task needs. */
export interface EndTaskServices {
  readonly bell: Bell;
  readonly log: Log;
  readonly now: () => Date;
  /** Aborted when the server ends: nothing is started from then on. */
  readonly closing: AbortSignal;
}

/** What running tasks needs. */
export interface RunTaskServices extends EndTaskServices {
  readonly runner: CodexRunner;
  /** The environment of every agent, the call's own variables aside. */
  readonly env: Readonly<Record<string, string>>;
  readonly coldStart: ColdStart;
}
