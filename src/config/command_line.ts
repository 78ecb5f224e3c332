/** Takes the arguments apart: which command, which flags, what of it is a predecessor's. Pure. */
import { parseArgs } from "node:util";
import { closest } from "./closest.ts";
import { ConfigError } from "./config_error.ts";
import { CLIENT_COMMANDS, type CommandName, COMMANDS } from "./commands.ts";
import { flagEntries, type FlagName, FLAGS, isFlagName } from "./flags.ts";
import { addressBehind } from "./http.ts";
import { FEATURE_FLAGS, isLauncherWord, isPredecessorName, PREDECESSOR_FLAGS } from "./predecessor_args.ts";

export interface CommandLine {
  readonly command: CommandName;
  /** The client that the command is about, as the user named it; `null` without one. */
  readonly client: string | null;
  /** The values of each flag that was given, in order; a bare switch has the value `true`. */
  readonly values: ReadonlyMap<FlagName, readonly string[]>;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

type Option = { type: "string" | "boolean"; short?: string; multiple: true };

const OPTIONS = options();

/** Takes the arguments apart. Throws {@linkcode ConfigError}, but not when help or the version is asked for. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const command of ["help", "version"] as const) {
    const isAsked = tokens.some((token) => token.kind === "option" && token.name === command);
    if (isAsked) return { command, client: null, values: new Map(), warnings: [] };
  }
  const values = new Map<FlagName, string[]>();
  const add = (name: FlagName, value: string): void => void values.set(name, [...values.get(name) ?? [], value]);
  const words: Word[] = [];
  const warnings: string[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "positional" && valueBefore(tokens[at - 1], token.value) === null) {
      words.push({ text: token.value, name: token.value });
    }
    if (token.kind !== "option") continue;
    const { name, rawName } = token;
    const next = tokens[at + 1];
    const value = (next?.kind === "positional" ? valueBefore(token, next.value) : null) ?? valueOf(token);
    const feature = FEATURE_FLAGS[name];
    const predecessor = PREDECESSOR_FLAGS[name];
    if (isFlagName(name)) add(name, value);
    else if (feature !== undefined) add("config", `features.${value}=${feature}`);
    else if (predecessor === undefined) throw unknownFlag(rawName);
    else {
      const text = predecessor.hasValue ? `${rawName} ${value}` : rawName;
      if (predecessor.instead === undefined) words.push({ text, name: null });
      else if (name === "model" && isPredecessorName(value)) words.push({ text, name: value });
      else warnings.push(`Ignored "${text}", a flag of Codex: use ${predecessor.instead(value)}.`);
    }
  }
  const { command, client, ignored } = takeCommand(words);
  checkFlags(command, [...values.keys()]);
  if (ignored.length > 0) {
    warnings.push(`Ignored "${ignored.join(" ")}", arguments of another program: they can be removed.`);
  }
  return { command, client, values, warnings };
}

/** An argument that is no flag of ours. */
interface Word {
  readonly text: string;
  /** `null` for a launcher's flag. */
  readonly name: string | null;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Gives what `word` says when it is the value of the flag before it that may stand alone too. */
function valueBefore(
  token: { readonly kind: string; readonly name?: string; readonly inlineValue?: boolean | undefined } | undefined,
  word: string,
): string | null {
  const { kind, name = "", inlineValue } = token ?? { kind: "" };
  const isOpen = kind === "option" && inlineValue !== true && isFlagName(name) && FLAGS[name].isValueOptional === true;
  return isOpen ? addressBehind(word) : null;
}

/** Gives the value of a flag, or throws when one is missing or too much. */
function valueOf({ name, rawName, value, inlineValue }: OptionToken): string {
  const option = OPTIONS[name];
  if (option === undefined || option.type === "boolean") return value ?? "true";
  const expected = isFlagName(name) ? FLAGS[name].value : "VALUE";
  if (value === undefined || value === "") throw new ConfigError(`${rawName} needs a value: ${rawName} ${expected}`);
  if (/^-\D/.test(value) && inlineValue !== true) {
    throw new ConfigError(`${rawName} needs a value, not "${value}": ${rawName} ${expected}`);
  }
  // `-c=key=value` reaches here with the first "=".
  return rawName.startsWith("--") ? value : value.replace(/^=/, "");
}

function takeCommand(words: readonly Word[]): Pick<CommandLine, "command" | "client"> & { ignored: readonly string[] } {
  const hasPredecessor = words.some(({ name }) => name !== null && isPredecessorName(name));
  let command: CommandName | null = null;
  let client: string | null = null;
  const ignored: string[] = [];
  for (const { text, name } of words) {
    if (name !== null && command !== null && CLIENT_COMMANDS.has(command)) {
      // Before all else: the client may be Codex, whose name is a predecessor's too.
      if (client !== null) throw new ConfigError(`${command} takes one client, not "${client}" and "${name}"`);
      client = name;
    } else if (name === null || isPredecessorName(name) || (hasPredecessor && isLauncherWord(name))) {
      ignored.push(text);
    } else if (!isCommandName(name)) {
      throw unknownCommand(name);
    } else if (command !== null && command !== name) {
      throw new ConfigError(`Two commands were given, "${command}" and "${name}": expected one`);
    } else {
      command = name;
    }
  }
  return { command: command ?? "mcp-server", client, ignored };
}

/** What `install` and `uninstall` take; the server's own flags would have no effect there. */
const CLIENT_FLAGS: ReadonlySet<string> = new Set(["print", "http", "port", "socket", "token-file", "state-dir"]);

/** With any of these the client calls a server that runs, and its entry has no arguments. */
const ADDRESS_FLAGS: readonly FlagName[] = ["http", "port", "socket"];

function checkFlags(command: CommandName, names: readonly FlagName[]): void {
  for (const name of names) {
    if (CLIENT_COMMANDS.has(command) && !CLIENT_FLAGS.has(name)) {
      const instead = names.some((given) => ADDRESS_FLAGS.includes(given))
        ? "give the server's own flags to the server that the client calls, where you start it with codex-swarm --http"
        : "add the server's own flags to the arguments in the client's file, where install leaves them";
      throw new ConfigError(`${command} does not take --${name}: ${instead}`);
    }
    if (name === "print" && !CLIENT_COMMANDS.has(command)) {
      throw new ConfigError("--print is for install and uninstall: codex-swarm install CLIENT --print");
    }
  }
}

function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

function unknownCommand(word: string): ConfigError {
  const names = Object.keys(COMMANDS);
  return new ConfigError(`Unknown command "${word}": expected ${names.join(", ")}${didYouMean(closest(word, names))}`);
}

function unknownFlag(rawName: string): ConfigError {
  const names = flagEntries().map(([name]) => `--${name}`);
  const meant = rawName.startsWith("--") ? closest(rawName, names) : null;
  return new ConfigError(`Unknown flag ${rawName}${didYouMean(meant) || "; codex-swarm --help lists all flags"}`);
}

function didYouMean(word: string | null): string {
  return word === null ? "" : `; did you mean ${word}?`;
}

function options(): Record<string, Option> {
  const entry = (name: string, short: string | undefined, hasValue: boolean): [string, Option] => [
    name,
    { type: hasValue ? "string" : "boolean", multiple: true, ...(short === undefined ? {} : { short }) },
  ];
  return Object.fromEntries([
    ...flagEntries().map(([name, flag]) =>
      entry(name, flag.short, flag.value !== undefined && flag.isValueOptional !== true)
    ),
    ...Object.entries(PREDECESSOR_FLAGS).map(([name, flag]) => entry(name, flag.short, flag.hasValue)),
    ...Object.keys(FEATURE_FLAGS).map((name) => entry(name, undefined, true)),
  ]);
}
