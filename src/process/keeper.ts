/** What is done to runs from outside, by `keeper.sh`, which goes on when this process dies meanwhile. */
import { inOwnSession } from "./own_session.ts";
import { runToEnd } from "./run_to_end.ts";
import { type Activity, DEFAULT_LADDER, type Ladder, type Signal, type StopReport } from "./run_host.ts";

/** Where the keeper is, and the environment that it has. */
export interface Keeper {
  /** The shim that was installed beside it. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

const ASK_TIMEOUT_MS = 10_000;
/** For a ladder's end, the sweep and what a busy machine adds. */
const END_TIMEOUT_MS = 30_000;
const SIGNALS: readonly Signal[] = ["INT", "TERM", "KILL"];

/**
 * Ends a task (`stop` for a reason) or one run of it (`interrupt`). Throws what the system says when nothing can be
 * started.
 */
export async function endRun(
  keeper: Keeper,
  { what, ladder = DEFAULT_LADDER, beyondMs = END_TIMEOUT_MS }: {
    readonly what: readonly ["stop" | "interrupt", directory: string, reasonOrRun: string];
    readonly ladder?: Ladder | undefined;
    /** Time that the keeper is given beyond the ladder; then it goes on alone, and nothing is known. Default 30 s. */
    readonly beyondMs?: number;
  },
): Promise<StopReport> {
  const args = [
    keeperOf(keeper.script),
    ...what,
    ...ladder.map(({ signal, waitMs }) => `${signal}:${Math.round(waitMs)}`),
  ];
  const child = new Deno.Command(...inOwnSession("/bin/sh", args, {
    // As in run_to_end.ts: whoever deletes the server's directory must not keep an agent from its end.
    cwd: "/",
    clearEnv: true,
    env: { ...keeper.env },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  })).spawn();
  let isLate = false;
  const reader = child.stdout.getReader();
  const ladderMs = ladder.reduce((total, { waitMs }) => total + waitMs, 0);
  const timer = setTimeout(() => {
    isLate = true;
    // What it is at is not to be ended halfway, but nor does this process wait for it.
    child.unref();
    void reader.cancel().catch(() => {});
  }, ladderMs + beyondMs);
  try {
    const text = await readAll(reader);
    if (isLate) return UNKNOWN;
    await child.status;
    return readReport(text);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

/** The keeper itself was killed, or hangs. */
const UNKNOWN: StopReport = { signals: [], isGone: false, swept: 0 };

function readReport(text: string): StopReport {
  const [end, swept, ...signals] = text.trim().split(" ");
  if (swept === undefined) return UNKNOWN;
  return {
    signals: SIGNALS.filter((signal) => signals.includes(signal)),
    isGone: end === "gone",
    swept: Number(swept),
  };
}

/** Tells who of a run lives, by the processes alone; at least the agent while the keeper cannot be asked. */
export async function askWhoLives(keeper: Keeper, directory: string): Promise<"shim" | "agent" | "gone"> {
  const who = await ask(keeper, ["sight", directory]);
  return who === "shim" || who === "gone" ? who : "agent";
}

/** Looks at what the latest runs in the directories do; those that are gone are left out. */
export async function observeRuns(
  keeper: Keeper,
  directories: readonly string[],
): Promise<ReadonlyMap<string, Activity>> {
  const seen = new Map<string, Activity>();
  if (directories.length === 0) return seen;
  for (const line of (await ask(keeper, ["observe", ...directories])).split("\n")) {
    const [place, state, cpuMs, processes] = line.split(" ");
    const directory = directories[Number(place) - 1];
    if (directory === undefined || state === undefined) continue;
    seen.set(directory, { state, cpuMs: Number(cpuMs), processes: Number(processes) });
  }
  return seen;
}

/** Notes all that descend from the agents in the directories that live. */
export async function rememberRuns(keeper: Keeper, directories: readonly string[]): Promise<void> {
  await ask(keeper, ["remember", ...directories]);
}

/** Counts the processes that an ended run has left behind. */
export async function countLeft(keeper: Keeper, directory: string): Promise<number> {
  return Number(await ask(keeper, ["left", directory]));
}

/** Notes this process as the server that drives a task. */
export async function noteOwner(keeper: Keeper, directory: string): Promise<void> {
  await ask(keeper, ["adopt", directory, String(Deno.pid)]);
}

/** Drops the middle of an event file that is larger than `maxBytes`. */
export async function trimEvents(
  keeper: Keeper,
  { directory, maxBytes }: { readonly directory: string; readonly maxBytes: number },
): Promise<void> {
  await ask(keeper, ["trim", directory, String(maxBytes)]);
}

/** What the keeper prints; nothing when it cannot be asked. */
async function ask(keeper: Keeper, args: readonly string[]): Promise<string> {
  const { stdout } = await runToEnd("/bin/sh", [keeperOf(keeper.script), ...args], {
    env: keeper.env,
    timeoutMs: ASK_TIMEOUT_MS,
  });
  return stdout.trim();
}

/** Where the keeper of an installed shim is. */
export function keeperOf(shim: string): string {
  return shim.replace(/shim-(?=[^/]*$)/, "keeper-");
}
