/** Runs `install.sh` in a home directory of its own. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeExecutable } from "./executable.ts";

export const INSTALL_SH = fileURLToPath(new URL("../../.github/packaging/install.sh", import.meta.url));

export interface InstallerOptions {
  /** The script's HOME. */
  readonly home: string;
  /** Where releases are, as CODEX_SWARM_INSTALL_BASE. */
  readonly base: string;
  readonly args?: readonly string[];
  /** The shell's command; default `sh`. */
  readonly shell?: readonly [string, ...string[]];
  /** Default this process's. */
  readonly path?: string;
  readonly script?: string;
}

export interface Installed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the script as the leader of a process group. */
export function startInstaller(options: InstallerOptions): Deno.ChildProcess {
  const [shell, ...args] = options.shell ?? ["sh"];
  return new Deno.Command(shell, {
    args: [...args, options.script ?? INSTALL_SH, ...options.args ?? []],
    cwd: options.home,
    clearEnv: true,
    env: {
      PATH: options.path ?? Deno.env.get("PATH") ?? "",
      HOME: options.home,
      LC_ALL: "C",
      CODEX_SWARM_INSTALL_BASE: options.base,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
}

/** Runs the script to its end. */
export async function runInstaller(options: InstallerOptions): Promise<Installed> {
  const { code, stdout, stderr } = await startInstaller(options).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Makes a directory that has only these programs, to be the whole PATH: this machine's, or given scripts. */
export async function toolDirectory(
  at: string,
  programs: Readonly<Record<string, string | null>>,
): Promise<string> {
  await Deno.mkdir(at, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    // No links: some programs look for the rest of themselves beside the name by which they were called.
    writeExecutable(join(at, name), `#!/bin/sh\n${script ?? `exec '${await which(name)}' "$@"`}\n`);
  }
  return at;
}

async function which(name: string): Promise<string> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(directory, name);
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  throw new Error(`Cannot find ${name}: it is not in PATH.`);
}
