/** What an operating system lets a process be started with: beyond it a run would fail when its turn has come. */
import { handOver } from "../process/hand_over.ts";
import { TaskError } from "../task/errors.ts";

/** Linux's MAX_ARG_STRLEN, less the NUL at the end. It holds for variables too. */
const MAX_BYTES = 131_071;
/** macOS's ARG_MAX for all arguments and variables together, less what the shim adds; Linux has twice as much. */
const MAX_BYTES_IN_ALL = 1_048_576 - 65_536;
/** Longest of the names under which a shell is handed the variables. */
const MAX_WRAPPER_BYTES = 10;
/** Room for the names that each run adds. */
const ADDED_BYTES = 1_024;
/** Windows's bound of a command line in all, and of a variable, less the NUL at the end. */
const MAX_CHARACTERS = 32_766;

/** The parameters that are passed under other names. */
const PARAMETERS: ReadonlyMap<string, string> = new Map([
  ["-C", "cwd"],
  ["-s", "sandbox"],
  ["--add-dir", "add-dirs"],
  ["-p", "profile"],
  ["-m", "model"],
  ["--image", "images"],
  ["developer_instructions", "developer-instructions"],
  ["compact_prompt", "compact-prompt"],
  ["model_reasoning_effort", "reasoning-effort"],
]);

interface Part {
  readonly parameter: string;
  readonly size: number;
}

/** Throws `invalid_argument` naming the parameter when the system would refuse the arguments or the variables. */
export function checkArgumentSizes(
  { args, env }: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
  os: typeof Deno.build.os,
): void {
  const isWindows = os === "windows";
  const sizeOf = isWindows ? quotedLength : byteLength;
  const unit = isWindows ? "characters" : "bytes";
  const parts = args.map((arg, index): Part => ({ parameter: parameterOf(args, index), size: sizeOf(arg) }));
  const variables = Object.entries(env).map(([name, value]): Part => ({
    parameter: `env.${name}`,
    size: isWindows
      ? name.length + value.length + 1
      : Math.max(byteLength(name), MAX_WRAPPER_BYTES) + byteLength(value) + 1,
  }));
  // What gives the variables their names back is one variable more.
  const names: Part = { parameter: "env", size: isWindows ? 0 : namesSize(env) };
  const most = isWindows ? MAX_CHARACTERS : MAX_BYTES;
  const tooLong = [...parts, ...variables].find(({ size }) => size > most);
  if (tooLong !== undefined) {
    throw refusal(
      tooLong,
      `it takes ${tooLong.size} ${unit} of Codex's command line, where at most ${most} are possible`,
    );
  }
  if (names.size > most) {
    throw new TaskError(
      "invalid_argument",
      `Cannot pass env: with the server's own these are ${variables.length} variables, whose names take ${names.size} ` +
        `bytes, where at most ${most} are possible. Give fewer, or put them into a file that the agent reads.`,
    );
  }
  const all = isWindows ? parts : [...parts, ...variables, names];
  // Between two words stands a blank or a NUL.
  const total = all.reduce((sum, { size }) => sum + size + 1, 0);
  const mostInAll = isWindows ? MAX_CHARACTERS : MAX_BYTES_IN_ALL;
  const [largest] = all.toSorted((a, b) => b.size - a.size);
  if (total <= mostInAll || largest === undefined) return;
  throw refusal(
    largest,
    `with all others it takes ${total} ${unit} of Codex's command line, where at most ${mostInAll} are possible`,
  );
}

function refusal({ parameter }: Part, reason: string): TaskError {
  return new TaskError(
    "invalid_argument",
    `Cannot pass ${parameter}: ${reason}. Shorten it, or put the text into the prompt or a file, which have no such limit.`,
  );
}

function parameterOf(args: readonly string[], index: number): string {
  const [key = ""] = args[index]?.split("=") ?? [];
  const flag = args[index - 1] ?? "";
  return PARAMETERS.get(flag === "-c" ? key : flag) ?? (flag === "-c" ? `config.${key}` : "an argument");
}

function namesSize(env: Readonly<Record<string, string>>): number {
  return byteLength(`SHIM_RESTORE=${handOver(env, { umask: 0o777 })["SHIM_RESTORE"]}`) + ADDED_BYTES;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** In quotes, with the backslashes that a quote inside needs, and those before it. */
function quotedLength(text: string): number {
  return text.length + 2 + [...text.matchAll(/(?<!\\)\\*("|$)/g)].reduce((sum, [whole]) => sum + whole.length, 0);
}
