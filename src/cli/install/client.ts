/** The words in which clients and their files are described. */
import { type PlatformPath, posix, win32 } from "node:path";

/** Under this name the server stands in the file of every client. */
export const SERVER_NAME = "codex-swarm";
/** Where clients find the token of a server that is reached over HTTP: it never stands in a file of theirs. */
export const TOKEN_VARIABLE = "CODEX_SWARM_TOKEN";

/** How a client gets to the server: it starts the program, or it calls one that runs. */
export type Connection =
  | { readonly kind: "stdio"; readonly command: string; readonly args: readonly string[] }
  /** `hasToken`: the server asks for one. */
  | { readonly kind: "http"; readonly url: string; readonly hasToken: boolean };

/** What a configuration file can hold of ours. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Values = Readonly<Record<string, Value>>;

/** What the server's entry in a client's file is to be. */
export interface Entry {
  /** Replaced by each installation. */
  readonly owned: Values;
  /** Added where the key is missing: users may have chosen otherwise. */
  readonly defaults?: Values;
  /** Keys that mean nothing, or are refused, beside those. */
  readonly foreign: readonly string[];
}

/** What of a machine decides where files lie. */
export interface Machine {
  /** As `Deno.build.os` names it. */
  readonly os: string;
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly cwd: string;
  readonly codexHome: string;
  isDirectory(path: string): boolean;
}

/** How the text of a configuration file is changed. Each function throws {@linkcode InstallError} for what it cannot read. */
export interface FileFormat {
  /** The server's entry; `undefined` when there is none. */
  read(text: string): Readonly<Record<string, unknown>> | undefined;
  /** Gives the text with the entry in it, the same text when it stands there already. */
  add(text: string, connection: Connection): string;
  /** Gives the text without the entry, and without what held nothing else. */
  remove(text: string): string;
  /** Tells whether nothing is in it, no comment either. */
  isEmpty(text: string): boolean;
}

export interface Client {
  readonly name: string;
  /** As its makers write it. */
  readonly title: string;
  readonly aliases?: readonly string[];
  /** What it can call besides starting the program. */
  readonly reach: "stdio" | "http" | "http and sockets";
  /** Files that may hold the entry, absolute; a new one goes into the first. */
  files(machine: Machine): readonly string[];
  /** Absent when the file is the user's to edit. */
  readonly format?: FileFormat;
  /** Its file is the user's own, not a project's. */
  readonly isPrivate: boolean;
  /** What to add to the file, for a person. */
  snippet(connection: Connection): string;
  /** What the entry is in the file, for a person who removes it. */
  readonly where: string;
  /** What a user should know who takes the server out; absent when there is nothing. */
  readonly removalNote?: string;
  /** What a user should know of an installation; each a line or several. */
  notes(connection: Connection, machine: Machine): readonly string[];
}

/** The rules of paths on a machine. */
export function pathsOf({ os }: Machine): PlatformPath {
  return os === "windows" ? win32 : posix;
}

/** Where programs keep their settings: `~/.config`, on Windows `%APPDATA%`. */
export function configDirectory(machine: Machine): string {
  const path = pathsOf(machine);
  const { env, home } = machine;
  if (machine.os === "windows") return env["APPDATA"] || path.join(home, "AppData", "Roaming");
  const xdg = env["XDG_CONFIG_HOME"] ?? "";
  return machine.os !== "darwin" && path.isAbsolute(xdg) ? xdg : path.join(home, ".config");
}

/** Writes a command line as a user would type it. */
export function shellCommand(words: readonly string[], { os }: Machine): string {
  const quote = (word: string): string => {
    if (/^[\w@%+=:,./\\-]+$/.test(word)) return word;
    return os === "windows" ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`;
  };
  return words.map(quote).join(" ");
}
