/** Finds out where files lie, by the rules of each operating system, without looking at any of them. */
import { type PlatformPath, posix, win32 } from "node:path";
import { ConfigError } from "./config_error.ts";
import type { VariableName } from "./variables.ts";

export interface PathsInput {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** As `Deno.build.os` names it. */
  readonly os: string;
}

/** The rules of one machine. */
export interface Paths {
  readonly path: PlatformPath;
  /** `null` when the environment does not tell. */
  readonly home: string | null;
  readonly input: PathsInput;
}

export function createPaths(input: PathsInput): Paths {
  const { env, os } = input;
  const path = os === "windows" ? win32 : posix;
  const home = (os === "windows" ? env["USERPROFILE"] || env["HOME"] : env["HOME"]) ?? "";
  return { path, home: path.isAbsolute(home) ? path.normalize(home) : null, input };
}

/** Resolves a path that a user wrote, `~` included. */
export function absolute({ path, home, input }: Paths, text: string): string {
  if (!/^~([\\/]|$)/.test(text)) return path.resolve(input.cwd, text);
  if (home === null) throw new ConfigError(`Cannot expand "${text}": the home directory is unknown; set HOME`);
  return path.join(home, text.slice(1));
}

/** Gives the path that a predecessor's variable names, or `null`. */
export function variablePath(paths: Paths, name: VariableName): string | null {
  const text = paths.input.env[name];
  return text === undefined || text === "" ? null : absolute(paths, text);
}

/** Gives where state lies unless the user says otherwise; `null` when the home directory is needed and unknown. */
export function defaultStateDir({ path, home, input: { env, os } }: Paths): string | null {
  if (os === "windows") {
    const local = env["LOCALAPPDATA"] ?? "";
    if (path.isAbsolute(local)) return path.join(local, "codex-swarm");
    return home === null ? null : path.join(home, "AppData", "Local", "codex-swarm");
  }
  // A relative one is to be ignored, as the XDG specification says.
  const xdg = env["XDG_STATE_HOME"] ?? "";
  if (path.isAbsolute(xdg)) return path.join(xdg, "codex-swarm");
  if (home === null) return null;
  const folder = os === "darwin" ? ["Library", "Application Support"] : [".local", "state"];
  return path.join(home, ...folder, "codex-swarm");
}

/** Gives Codex's home, which Codex takes as it stands, without `~`; `null` when unknown. */
export function codexHome({ path, home, input }: Paths, text: string | undefined): string | null {
  if (text !== undefined && text !== "") return path.resolve(input.cwd, text);
  return home === null ? null : path.join(home, ".codex");
}
