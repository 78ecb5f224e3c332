import { join } from "node:path";

/**
 * Copies an index with its time: of files that have changed in the very second in which it was written, git knows by that
 * time alone that it must look at what is in them. Where there is none, there is none then.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  try {
    await write(from, to, { createNew: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.remove(to).catch(() => undefined);
  }
}

/**
 * Has an index that git has written in two files be read with a {@linkcode openContent}: git looks for the other one in its
 * git directory alone.
 */
export async function shareIndex(gitDir: string, content: Readonly<Record<string, string>>): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(gitDir), ({ name }) => name).catch(() => []);
  for (const name of names.filter((one) => /^sharedindex\.[0-9a-f]+$/.test(one))) {
    const link = join(content["GIT_DIR"] ?? gitDir, name);
    const aside = `${link}.${crypto.randomUUID()}`;
    await Deno.symlink(join(gitDir, name), aside);
    await Deno.rename(aside, link);
  }
}

/** Locks an index with a copy of it that is to take its place. Throws where somebody else has locked it. */
export async function lockIndex(index: string, lock: string): Promise<void> {
  await write(index, lock, { createNew: true });
}

async function write(from: string, to: string, options: { readonly createNew: boolean }): Promise<void> {
  // Of before, at worst: then git looks once more.
  const { mtime } = await Deno.stat(from);
  await Deno.writeFile(to, await Deno.readFile(from), options);
  if (mtime !== null) await Deno.utime(to, mtime, mtime);
}
