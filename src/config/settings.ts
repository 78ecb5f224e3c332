/** Looks settings up: the flag, else its variable, else the default of the table. */
import { LOG_LEVELS, type LogLevel } from "../log.ts";
import { SANDBOX_MODES, type SandboxMode } from "../task/spec.ts";
import type { CommandLine } from "./command_line.ts";
import { ConfigError } from "./config_error.ts";
import { type FlagName, FLAGS } from "./flags.ts";
import { DURATION_FORM, parseDuration, parseLogLevel, parsePair, parseSwitch, parseWholeNumber } from "./values.ts";
import { MARKERS, type VariableName, VARIABLES } from "./variables.ts";

/** Where settings come from; `warnings` is added to. */
export interface Sources {
  readonly line: CommandLine;
  readonly env: Readonly<Record<string, string>>;
  readonly warnings: string[];
}

interface Given {
  readonly value: string;
  /** The flag or variable. */
  readonly from: string;
}

const DAY_MS = 86_400_000;
/** A timer of a JavaScript engine reaches 24.8 days. */
const MAX_TIMER_DAYS = 24;
export const MAX_TIMER_MS = MAX_TIMER_DAYS * DAY_MS;

/** Gives what the user gave, if anything; an empty variable is as good as none. */
export function readText({ line, env }: Sources, name: FlagName): string | null {
  return line.values.get(name)?.at(-1) ?? (env[FLAGS[name].variable ?? ""] || null);
}

function given(sources: Sources, name: FlagName): Given {
  const { variable, default: fallback } = FLAGS[name];
  const isFlag = sources.line.values.has(name) || variable === undefined;
  return { value: readText(sources, name) ?? fallback ?? "", from: isFlag ? `--${name}` : variable };
}

/** Gives the values of a repeatable flag, and apart from them those of its variable. */
export function readList(
  { line, env }: Sources,
  name: FlagName,
  separator: string,
): { readonly flag: readonly string[]; readonly variable: readonly string[] } {
  const text = env[FLAGS[name].variable ?? ""] ?? "";
  const variable = text.split(separator).map((value) => value.replace(/\r$/, "").trimStart()).filter((value) =>
    value !== ""
  );
  return { flag: line.values.get(name) ?? [], variable };
}

export function readSwitch(sources: Sources, name: FlagName): boolean {
  if (readText(sources, name) === null) return false;
  const { value, from } = given(sources, name);
  return parseSwitch(value) ?? refuse({ value, from }, "1, true, yes, 0, false or no");
}

export function readWholeNumber(sources: Sources, name: FlagName, range: readonly [number, number]): number {
  const setting = given(sources, name);
  const [least, most] = range;
  const number = parseWholeNumber(setting.value);
  if (number === null || number < least || number > most) {
    return refuse(setting, `a whole number from ${least} to ${most}`);
  }
  return number;
}

/** Gives milliseconds, more than 0 unless 0 means something of its own. */
export function readDuration(
  sources: Sources,
  name: FlagName,
  { isZeroAllowed = false, mostDays = MAX_TIMER_DAYS }: {
    readonly isZeroAllowed?: boolean;
    /** Default what a timer can wait. */
    readonly mostDays?: number;
  } = {},
): number {
  const setting = given(sources, name);
  const ms = parseDuration(setting.value);
  if (ms === null || (ms === 0 && !isZeroAllowed) || ms > mostDays * DAY_MS) {
    return refuse(setting, `${DURATION_FORM}; ${isZeroAllowed ? "" : "more than 0, "}at most ${mostDays}d`);
  }
  return ms;
}

/** Gives one of several words. */
export function readChoice<T extends string>(sources: Sources, name: FlagName, choices: readonly T[]): T {
  const setting = given(sources, name);
  return choices.find((choice) => choice === setting.value) ?? refuse(setting, choices.join(" or "));
}

/** Gives names separated by commas, each once; `null` when neither the flag nor its variable was given. */
export function readNames(sources: Sources, name: FlagName): readonly string[] | null {
  if (readText(sources, name) === null) return null;
  const { from } = given(sources, name);
  const { flag, variable } = readList(sources, name, ",");
  const texts = flag.length > 0 ? flag.flatMap((text) => text.split(",")) : variable;
  const names = [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ""))];
  return names.length > 0 ? names : refuse({ value: texts.join(","), from }, "names separated by commas");
}

/** Gives milliseconds; a bad value is ignored with a warning. */
export function readVariableDuration({ env, warnings }: Sources, name: VariableName): number {
  const fallback = VARIABLES[name].default ?? "0";
  const text = env[name] || fallback;
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  warnings.push(`Ignored ${name}="${text}": expected ${DURATION_FORM}; using ${fallback}.`);
  return parseDuration(fallback) ?? 0;
}

/** Gives the level; a bad one is refused in the flag, and in the predecessor's variable ignored with a warning. */
export function readLogLevel(sources: Sources): LogLevel {
  const setting = given(sources, "log-level");
  const level = parseLogLevel(setting.value);
  if (level !== null) return level;
  const expected = LOG_LEVELS.join(", ");
  if (sources.line.values.has("log-level")) return refuse(setting, expected);
  const fallback = FLAGS["log-level"].default ?? "";
  sources.warnings.push(`Ignored ${setting.from}="${setting.value}": expected ${expected}; using ${fallback}.`);
  return parseLogLevel(fallback) ?? "WARNING";
}

export function readMaxSandbox(sources: Sources): SandboxMode | null {
  if (readText(sources, "max-sandbox") === null) return null;
  const setting = given(sources, "max-sandbox");
  return SANDBOX_MODES.find((mode) => mode === setting.value) ?? refuse(setting, SANDBOX_MODES.join(", "));
}

/** Gives the `-c` settings, those of the variable first so that a flag wins; the predecessor dropped those without `=`. */
export function readCodexConfig(sources: Sources): string[] {
  const { flag, variable } = readList(sources, "config", "\n");
  return [...variable, ...flag].filter((text) => {
    const isUsable = parsePair(text) !== null;
    if (!isUsable) sources.warnings.push(`Ignored the setting "${text}" of -c: expected key=value.`);
    return isUsable;
  });
}

/** Gives the variables of every agent. A refusal does not repeat a value: it may be a secret. */
export function readAgentEnv(sources: Sources): Record<string, string> {
  const { flag, variable } = readList(sources, "env", "\n");
  const pairs = [
    ...variable.map((text) => ({ text, from: "CODEX_SWARM_ENV" })),
    ...flag.map((text) => ({ text, from: "--env" })),
  ].map(({ text, from }): [string, string] => {
    const { key, value } = parsePair(text) ?? { key: "", value: "" };
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) || value.includes("\0")) {
      throw new ConfigError(
        `Invalid ${from}${key === "" ? "" : ` "${key}=…"`}: expected KEY=VALUE, KEY of letters, digits and underscores`,
      );
    }
    if (MARKERS.some((marker) => marker === key)) {
      throw new ConfigError(`Invalid ${from} "${key}=…": codex-swarm sets ${key} itself`);
    }
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

/** Gives how many agents stand above this server. */
export function readDepth({ env, warnings }: Sources): number {
  const text = env["CODEX_SWARM_DEPTH"] ?? "";
  const depth = parseWholeNumber(text === "" ? "0" : text);
  if (depth !== null) return depth;
  // Somebody's agent set it: to take it for a person's server could breed agents without end.
  warnings.push(`Cannot read CODEX_SWARM_DEPTH="${text}": taken for 1, one agent above this server.`);
  return 1;
}

function refuse({ value, from }: Given, expected: string): never {
  throw new ConfigError(`Invalid ${from} "${value}": expected ${expected}`);
}
