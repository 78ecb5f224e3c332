import { failureOf } from "../codex/failure.ts";
import { runBound } from "../process/run_bound.ts";
import { describeEnd } from "../process/run_to_end.ts";
import type { Failure } from "../task/task.ts";

const TIMEOUT_MS = 30 * 60_000;
/** Of what the command said last, in the failure. */
const TAIL_BYTES = 1_000;

/** The command that was to make a worktree ready did not succeed. */
export class SetupFailed extends Error {
  override readonly name = "SetupFailed";
  readonly failure: Failure;

  constructor(message: string) {
    super(message);
    this.failure = failureOf("setup_failed", message);
  }
}

/** Makes a worktree ready with a command that a person has approved; what it says goes to a file. Throws {@linkcode SetupFailed}. */
export async function runSetup(
  command: string,
  { directory, env, log, signal }: {
    readonly directory: string;
    readonly env: Readonly<Record<string, string>>;
    readonly log: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const options = { cwd: directory, env, log, tailBytes: TAIL_BYTES, timeoutMs: TIMEOUT_MS, signal };
  const ended = await runBound(command, options);
  if (ended.exitCode === 0) return;
  const tail = ended.stdout === "" ? "" : `: ${ended.stdout}`;
  throw new SetupFailed(`The setup command \`${command}\` ${describeEnd(ended)}${tail} (all of it: ${log})`);
}
