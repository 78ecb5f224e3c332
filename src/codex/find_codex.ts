/** Looks for the installed Codex, and behind npm's launcher for the native binary. */
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import type { Log } from "../log.ts";
import { describeEnd, runToEnd } from "../process/run_to_end.ts";
import { TaskError } from "../task/errors.ts";
import {
  nativeCandidates,
  nvmFolders,
  nvmVersions,
  packageRootOf,
  programNames,
  usualFolders,
  wrappedLauncher,
} from "./install_layout.ts";

/** Options of {@linkcode findCodex}. */
export interface FindOptions {
  /** `--codex`: a path, or a name to be looked for in PATH. */
  readonly configured?: string;
  /** The environment of the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly log: Log;
}

/** A Codex on this machine. */
export interface FoundCodex {
  /** As it was found, before symbolic links and launchers. */
  readonly path: string;
  /** Where it was found, in words. */
  readonly foundIn: string;
  /** What to start: the native binary where there is one. Absolute. */
  readonly binary: string;
  /** `binary` leads on to another file, so that its age does not tell whether Codex has changed. */
  readonly isIndirect: boolean;
  /** It came from npm; `binary` is still the launcher if the native one is missing. */
  readonly isNpmLauncher: boolean;
  /** The launcher's package, which it hands to Codex as CODEX_MANAGED_PACKAGE_ROOT. */
  readonly packageRoot?: string;
}

/** How long the login shell may take to tell its PATH. */
const SHELL_TIMEOUT_MS = 3_000;
/** A wrapper script is small, a binary is not worth reading. */
const MAX_WRAPPER_BYTES = 16 * 1024;

const INSTALL = "Install it with `npm install -g @openai/codex`, or name it with --codex PATH.";

/** Finds Codex. Throws `codex_missing` with all places tried. */
export async function findCodex(options: FindOptions): Promise<FoundCodex> {
  const found = await search(options);
  return { ...found, ...await resolveTarget(found.path) };
}

interface Found {
  readonly path: string;
  readonly foundIn: string;
}

async function search(options: FindOptions): Promise<Found> {
  const { configured, env, home } = options;
  if (configured !== undefined) return await findConfigured(configured, env);
  const path = foldersOf(env["PATH"] ?? env["Path"]);
  const inPath = await findIn(path, "PATH");
  if (inPath !== null) return inPath;
  const shell = await loginShellFolders(options);
  const inShell = await findIn(shell, "the login shell's PATH");
  if (inShell !== null) return inShell;
  const appData = env["APPDATA"];
  const usual = usualFolders({
    os: Deno.build.os,
    home,
    nvm: nvmFolders(home, await folderNames(nvmVersions(home))),
    ...(appData === undefined ? {} : { appData }),
  });
  const inUsual = await findIn(usual, "the usual folders");
  if (inUsual !== null) return inUsual;
  const tried = [...new Set([...path, ...shell, ...usual])];
  throw new TaskError("codex_missing", `Cannot find Codex: tried ${tried.join(", ")}. ${INSTALL}`);
}

async function findConfigured(configured: string, env: Readonly<Record<string, string>>): Promise<Found> {
  if (!/[\\/]/.test(configured)) {
    const folders = foldersOf(env["PATH"] ?? env["Path"]);
    const found = await findIn(folders, "PATH, by the name given with --codex", [configured]);
    if (found !== null) return found;
    throw new TaskError("codex_missing", `Cannot find --codex ${configured}: tried ${folders.join(", ")}. ${INSTALL}`);
  }
  const path = resolve(configured);
  if (await isExecutable(path)) return { path, foundIn: "--codex" };
  const info = await statOf(path);
  const reason = info === null ? "there is no such file" : info.isFile ? "it is not executable" : "it is no file";
  throw new TaskError("codex_missing", `Cannot use --codex ${configured}: ${reason}. ${INSTALL}`);
}

async function findIn(
  folders: readonly string[],
  foundIn: string,
  names: readonly string[] = programNames(Deno.build.os),
): Promise<Found | null> {
  for (const folder of folders) {
    for (const name of names) {
      const path = join(folder, name);
      if (await isExecutable(path)) return { path, foundIn };
    }
  }
  return null;
}

function foldersOf(path: string | undefined): readonly string[] {
  return (path ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
}

/** A client started from a desktop has a poor PATH; the login shell knows the user's own. */
async function loginShellFolders({ env, log }: FindOptions): Promise<readonly string[]> {
  const shell = env["SHELL"];
  if (Deno.build.os === "windows" || shell === undefined || !isAbsolute(shell)) return [];
  const script = `printf '\\n<path>%s</path>\\n' "$PATH"`;
  const result = await runToEnd(shell, ["-lc", script], { env, timeoutMs: SHELL_TIMEOUT_MS });
  const path = /<path>([^<]*)<\/path>/.exec(result.stdout)?.[1];
  if (path === undefined) log.debug("The login shell told no PATH", { shell, end: describeEnd(result) });
  return foldersOf(path);
}

async function resolveTarget(path: string): Promise<Omit<FoundCodex, "path" | "foundIn">> {
  const real = await Deno.realPath(path);
  const launcher = await launcherOf(real);
  if (launcher === null) {
    // A shim of mise or volta is a link to a program that looks at the name it was called by.
    const isCodex = basename(real).startsWith("codex");
    return { binary: isCodex ? real : path, isIndirect: !isCodex || await isSmall(real), isNpmLauncher: false };
  }
  const packageRoot = dirname(dirname(launcher));
  for (const candidate of nativeCandidates(packageRoot, Deno.build)) {
    if (await isExecutable(candidate)) {
      return { binary: await Deno.realPath(candidate), isIndirect: false, isNpmLauncher: true, packageRoot };
    }
  }
  return { binary: path, isIndirect: true, isNpmLauncher: true, packageRoot };
}

async function launcherOf(real: string): Promise<string | null> {
  if (packageRootOf(real) !== null) return real;
  if (!await isSmall(real)) return null;
  const launcher = wrappedLauncher(real, await Deno.readTextFile(real));
  if (launcher === null || await statOf(launcher) === null) return null;
  const resolved = await Deno.realPath(launcher);
  return packageRootOf(resolved) === null ? null : resolved;
}

async function folderNames(folder: string): Promise<readonly string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
  } catch {
    return [];
  }
}

async function isSmall(path: string): Promise<boolean> {
  return ((await statOf(path))?.size ?? 0) <= MAX_WRAPPER_BYTES;
}

async function isExecutable(path: string): Promise<boolean> {
  const info = await statOf(path);
  if (info === null || !info.isFile) return false;
  return Deno.build.os === "windows" || ((info.mode ?? 0) & 0o111) !== 0;
}

async function statOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch {
    return null;
  }
}
