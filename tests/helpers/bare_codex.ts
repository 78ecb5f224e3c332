/** The real Codex without the product, for controls: what would be without it. */
import type { MockModel } from "./mock_model.ts";
import { ensureRealCodex, realCodexEnvironment } from "./real_codex.ts";

/** A run of `codex exec`; disposing of it kills it. */
export interface BareCodex extends AsyncDisposable {
  readonly pid: number;
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<Deno.CommandStatus>;
}

/** Starts `codex exec --json` with a prompt. */
export async function startBareCodex(
  prompt: string,
  options: {
    readonly model: MockModel;
    readonly home: string;
    readonly cwd: string;
    readonly sandbox: string;
    readonly env?: Readonly<Record<string, string>>;
    /** The thread to go on in. */
    readonly resume?: string;
  },
): Promise<BareCodex> {
  const { native } = await ensureRealCodex();
  const { env, serverArguments } = realCodexEnvironment(options);
  const resume = options.resume === undefined ? [] : ["resume", options.resume];
  const child = new Deno.Command(native, {
    args: [
      "exec",
      "--json",
      "--skip-git-repo-check",
      ...serverArguments,
      "-s",
      options.sandbox,
      ...resume,
      "--",
      prompt,
    ],
    cwd: options.cwd,
    env: { ...env, ...options.env },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let isOver = false;
  const ended = child.status.finally(() => isOver = true);
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    ended,
    [Symbol.asyncDispose]: async () => {
      if (!isOver) child.kill("SIGKILL");
      await ended;
    },
  };
}
