/** Small steps with files and directories. */
import { dirname, join } from "node:path";

/** Tells whether anything stands at a path; a link that leads nowhere does. Throws where that cannot be found out. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes whatever stands at a path. Throws when some of it stays. */
export async function removeAll(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Gives what stands at one path another one on the same file system, where nothing stands. */
export async function move(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
}

/** Makes a directory with all above it, unless it is there. */
export async function ensureDirectory(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
}

/** Among what stands in one directory and begins with `prefix`, a path: that which has this inode; `null` where none has. */
export async function findByInode(prefix: string, inode: number): Promise<string | null> {
  const parent = dirname(prefix);
  for await (const { name } of Deno.readDir(parent)) {
    const path = join(parent, name);
    if (path.startsWith(prefix) && (await Deno.lstat(path)).ino === inode) return path;
  }
  return null;
}

/** Number of the file system that a path is on, following links; `null` where nothing stands. */
export async function deviceOf(path: string): Promise<number | null> {
  return await Deno.stat(path).then(({ dev }) => dev, () => null);
}

/** Removes what stands in a directory and was last changed longer ago than this; what cannot be removed stays. Never throws. */
export async function removeOld(
  directory: string,
  { ageMs, isOurs = () => true }: {
    readonly ageMs: number;
    /** Whether something of this name may go; default all. */
    readonly isOurs?: (name: string) => boolean;
  },
): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (!isOurs(name)) continue;
      const path = join(directory, name);
      const { mtime } = await Deno.lstat(path);
      if (mtime !== null && Date.now() - mtime.getTime() > ageMs) await removeAll(path);
    }
  } catch {
    // Another server is at it, or there is nothing yet.
  }
}
