/** Keeps the files that git ignores: they are in no snapshot, but an agent may have made them. */
import { join } from "node:path";
import { binaryOfText, fieldsOf, textOf } from "./bytes.ts";
import type { Git } from "./git.ts";
import type { IgnoredNamesOptions } from "./ignored_names.ts";
import { isThere } from "./is_there.ts";
import { readPlain } from "./read_plain.ts";
import { runProgram, tryProgram } from "./run_program.ts";
import { scratchFile } from "./scratch_file.ts";
import { unreadFiles } from "./unread_files.ts";

const MIB = 1024 * 1024;
/** Large trees on slow disks. */
const TIMEOUT_MS = 10 * 60_000;
/** What is not kept, since it is too large. */
export const IGNORED_LIMITS = { eachBytes: 5 * MIB, allBytes: 50 * MIB };
/** By how much the times of files may lag behind the clock: a tick of the system's and its rounding. */
const COARSE_CLOCK_MS = 20;
/** Directories whose content a tool makes anew. */
export const DISCARDED = ["node_modules", "target", "__pycache__", ".venv"];

export interface IgnoredOptions extends IgnoredNamesOptions {
  /** Only what was written or changed since. */
  readonly since: Date;
  /** Files that are the same below this directory are somebody else's. */
  readonly except: string;
  /** File to be written, a tar archive; only its owner may read it. */
  readonly archive: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KeptIgnored {
  readonly kept: number;
  /** What was not, by path: too large, not to be read, or what repositories have committed that stand among ignored files. */
  readonly notKept: readonly string[];
}

/** Archives the ignored files that have changed; where there are none, there is no archive afterwards. Throws {@linkcode GitError}. */
export async function keepIgnored(git: Git, options: IgnoredOptions): Promise<KeptIgnored> {
  const { path, env, archive } = options;
  const { names, unread } = await changedIgnored(git, options);
  const chosen: string[] = [];
  const notKept = [...unread];
  let bytes = 0;
  for (const name of names) {
    const file = textOf(name);
    const { size } = await Deno.lstat(join(path, file)).catch(() => ({ size: 0 }));
    const isRepository = file.endsWith("/.git");
    if (!isRepository && await isSame(join(path, file), join(options.except, file), size)) continue;
    const isTooLarge = size > IGNORED_LIMITS.eachBytes || bytes + size > IGNORED_LIMITS.allBytes;
    if (isRepository || isTooLarge) notKept.push(file.slice("./".length));
    else {
      chosen.push(name);
      bytes += size;
    }
  }
  if (chosen.length === 0) {
    // Of files that somebody has deleted since.
    if (await isThere(archive)) await Deno.remove(archive);
    return { kept: 0, notKept };
  }
  const input = chosen.map((name) => `${name}\0`).join("");
  await using scratch = scratchFile(archive);
  const own = scratch.path;
  await Deno.writeFile(own, new Uint8Array(), { mode: 0o600 });
  const create = ["--create", `--file=${own}`, "--no-recursion", "--null", "--files-from=-"];
  const ran = await tryProgram("tar", create, { cwd: path, env, input });
  notKept.push(...unreadFiles("tar", ran));
  await Deno.rename(own, archive);
  return { kept: chosen.length, notKept };
}

/** Names of the ignored files that have changed, as find(1) gives them below `.`, and of repositories among them. */
async function changedIgnored(
  git: Git,
  { path, content, index, repositories, since, env }: IgnoredOptions,
): Promise<{ readonly names: readonly string[]; readonly unread: readonly string[] }> {
  const places: string[] = [];
  for (const inside of ["", ...repositories.map((name) => `${name}/`)]) {
    const top = join(path, inside);
    const call = { ...content, GIT_WORK_TREE: top, GIT_INDEX_FILE: inside === "" ? index : `${index}.none` };
    const list = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    const names = fieldsOf(await git.output(list, { cwd: top, env: call, timeoutMs: TIMEOUT_MS }));
    places.push(...names.map((name) => `./${binaryOfText(inside)}${name.replace(/\/$/, "")}`));
  }
  if (places.length === 0) return { names: [], unread: [] };
  // By the time of the change, which unpacking an archive does not set back.
  const newer = `-newerct ${new Date(since.getTime() - COARSE_CLOCK_MS).toISOString()} -print0`;
  const aside = DISCARDED.map((name) => `-name ${name}`).join(" -o ");
  const walk = `\\( ${aside} \\) -prune -o -name .git -prune ${newer} -o \\( -type f -o -type l \\) ${newer}`;
  const input = places.map((name) => `${name}\0`).join("");
  const found = await tryProgram("xargs", ["-0", "sh", "-c", `find "$@" ${walk}`, "sh"], { cwd: path, env, input });
  // Git names a directory in which all is ignored, and what is in it too.
  return { names: [...new Set(fieldsOf(found.stdout))], unread: [...new Set(unreadFiles("find", found))] };
}

/**
 * Unpacks what {@linkcode keepIgnored} has kept into a directory in which nothing of an agent's is yet: tar would follow a
 * link that stands there. Throws {@linkcode GitError}.
 */
export async function restoreIgnored(
  { path, archive, env }: Pick<IgnoredOptions, "path" | "archive" | "env">,
): Promise<void> {
  await runProgram("tar", ["--extract", `--file=${archive}`], { cwd: path, env });
}

async function isSame(one: string, other: string, size: number): Promise<boolean> {
  try {
    const theirs = await Deno.lstat(other);
    if (theirs.isSymlink) return await Deno.readLink(one) === await Deno.readLink(other);
    if (!theirs.isFile || theirs.size !== size || size > IGNORED_LIMITS.eachBytes) return false;
    if (!(await Deno.lstat(one)).isFile) return false;
    // Whoever works there may have put something else in its place just now.
    const ours = await readPlain(one, { maxBytes: size });
    const bytes = await Deno.readFile(other);
    return ours?.length === bytes.length && ours.every((byte, at) => byte === bytes[at]);
  } catch {
    return false;
  }
}
