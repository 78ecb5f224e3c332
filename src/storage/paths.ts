/** Paths that a caller names: checked before anything is built on them. */
import { TaskError } from "../task/errors.ts";

/** A directory that exists. */
export interface Directory {
  readonly path: string;
  /** Symbolic links resolved. */
  readonly real: string;
}

/** Looks a directory up. Throws `cwd_missing` naming the parameter. */
export async function existingDirectory(path: string, parameter: string): Promise<Directory> {
  if (path.includes("\0")) {
    throw new TaskError("invalid_argument", `Cannot use ${parameter}: it holds a NUL character.`);
  }
  try {
    const real = await Deno.realPath(path);
    if ((await Deno.stat(real)).isDirectory) return { path, real };
  } catch {
    throw new TaskError("cwd_missing", `Cannot use ${parameter} ${path}: there is no such directory.`);
  }
  throw new TaskError("cwd_missing", `Cannot use ${parameter} ${path}: it is not a directory.`);
}

/** The path with its symbolic links resolved; as it is where there is nothing yet. */
export async function resolveLinks(path: string): Promise<string> {
  return await realPath(path) ?? path;
}

/** The path without symbolic links; `null` where nothing can be found at it. */
export async function realPath(path: string): Promise<string | null> {
  return await Deno.realPath(path).catch(() => null);
}

/** Looks an image up, without which Codex itself would silently run on. Throws `invalid_argument`. */
export async function existingImage(path: string): Promise<string> {
  try {
    if ((await Deno.stat(path)).isFile) return path;
  } catch {
    // said below
  }
  throw new TaskError("invalid_argument", `Cannot attach image ${path}: there is no such file.`);
}
