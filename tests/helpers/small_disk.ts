import { join } from "node:path";
import { tempDirectory } from "./temp_directory.ts";

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Leaves not a byte, or not an inode. */
  fill(what: "bytes" | "inodes"): Promise<void>;
  /** Takes back what was filled. */
  clear(): Promise<void>;
  /** Lets nobody open anything for writing, or lets them again. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  /** Takes it away; those who are in it or have files open there keep these. */
  vanish(): Promise<void>;
}

/** Mounting takes rights that not everybody has who runs tests. */
export const CAN_MOUNT = await canMount();

/** A disk of its own, in memory. */
export async function smallDisk({ kib = 4_096, inodes = 1_000 } = {}): Promise<SmallDisk> {
  const temp = await tempDirectory();
  const path = join(temp.path, "disk");
  await Deno.mkdir(path);
  await run("mount", "-t", "tmpfs", "-o", `size=${kib}k,nr_inodes=${inodes},mode=0700`, "none", path);
  const fillers: string[] = [];
  let isReadOnly = false;
  let isThere = true;
  return {
    path,
    fill: async (what) => {
      const name = join(path, "filler");
      if (what === "inodes") await fillInodes(name, fillers);
      else await fillBytes(name, fillers);
    },
    clear: async () => {
      for (const name of fillers.splice(0)) await Deno.remove(name);
    },
    setReadOnly: async (wanted) => {
      if (wanted === isReadOnly) return;
      isReadOnly = wanted;
      if (!wanted) return await run("umount", "-l", path);
      // As itself it cannot be made read-only while files are open for writing.
      await run("mount", "--bind", path, path);
      await run("mount", "-o", "remount,bind,ro", path);
    },
    vanish: async () => {
      isThere = false;
      await run("umount", "-l", path);
    },
    [Symbol.asyncDispose]: async () => {
      if (isReadOnly) await run("umount", "-l", path);
      // Lazily: what still holds a file there keeps no test from its end.
      if (isThere) await run("umount", "-l", path);
      await temp[Symbol.asyncDispose]();
    },
  };
}

async function fillBytes(name: string, made: string[]): Promise<void> {
  using file = await Deno.open(name, { write: true, createNew: true });
  made.push(name);
  for (const length of [65_536, 4_096, 1]) {
    try {
      for (;;) await file.write(new Uint8Array(length));
    } catch {
      // Full, for pieces of this length.
    }
  }
}

async function fillInodes(name: string, made: string[]): Promise<void> {
  try {
    for (;;) {
      const path = `${name}_${made.length}`;
      (await Deno.open(path, { write: true, createNew: true })).close();
      made.push(path);
    }
  } catch {
    // There are no more.
  }
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const directory = await Deno.makeTempDir();
  try {
    await run("mount", "-t", "tmpfs", "none", directory);
    await run("umount", directory);
    return true;
  } catch {
    return false;
  } finally {
    await Deno.remove(directory);
  }
}

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  if (!success) throw new Error(`Cannot ${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}
