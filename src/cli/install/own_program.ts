/** How a client starts this very program. */
import { basename, delimiter, dirname, join } from "node:path";
import type { Connection } from "./client.ts";
import { InstallError } from "./install_error.ts";

export interface OwnProgram {
  /** It was compiled, and needs no Deno. */
  readonly isStandalone: boolean;
  /** This program's executable when it is compiled, else Deno's. */
  readonly execPath: string;
  /** The file that Deno runs; `undefined` when it is no file. */
  readonly script: string | undefined;
  /** Deno's command line in `deno.json`: the one place that names the permissions. */
  readonly startTask: string;
  /** The PATH in which a shorter way to the executable may be found. */
  readonly searchPath: string;
}

/** Gives the command with an absolute path. Throws {@linkcode InstallError} when the program lies in no file. */
export async function ownCommand(program: OwnProgram): Promise<Connection & { readonly kind: "stdio" }> {
  const { isStandalone, execPath, script, startTask, searchPath } = program;
  if (isStandalone) return { kind: "stdio", command: await lastingPath(execPath, searchPath), args: [] };
  if (script === undefined) throw new InstallError("this program was not started from a file: get the sources first");
  return { kind: "stdio", command: execPath, args: ["run", ...startTask.split(" ").slice(2, -1), script] };
}

/**
 * Gives the arguments that a user has added behind ours in an entry that starts this program, be it compiled or by Deno.
 */
export function addedArguments(command: unknown, args: unknown): string[] {
  const words = Array.isArray(args) ? args.filter((arg) => typeof arg === "string") : [];
  const script = words.findLastIndex((word) => /(^|[\\/])(main\.ts|codex-swarm\.js)$/.test(word));
  if (script >= 0) return words.slice(script + 1);
  return /(^|[\\/])codex-swarm(\.exe)?$/i.test(String(command)) ? words : [];
}

/** A package manager's link outlives the version that it leads to. */
async function lastingPath(execPath: string, searchPath: string): Promise<string> {
  const real = await Deno.realPath(execPath).catch(() => execPath);
  for (const directory of new Set([dirname(execPath), ...searchPath.split(delimiter)])) {
    const candidate = join(directory, basename(execPath));
    if (directory.startsWith("/") && await Deno.realPath(candidate).catch(() => null) === real) {
      if (candidate !== real) return candidate;
    }
  }
  return execPath;
}
