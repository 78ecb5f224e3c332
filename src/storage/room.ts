/** How much room a disk has left. */
import { dirname } from "node:path";

/** A disk is too full with less than so much left and less than so large a part of it. */
export const ROOM_FLOOR = { bytes: 2 * 1024 ** 3, files: 100_000, part: 0.05 };

/** Why nothing large should be put into a directory, in words; `null` where there is room, or nobody can tell. */
export async function shortOfRoom(directory: string): Promise<string | null> {
  // Not in a static import: a start needs none of it.
  const { statfs } = await import("node:fs/promises");
  const found = await statfs(directory).catch(() => null);
  if (found === null) return dirname(directory) === directory ? null : await shortOfRoom(dirname(directory));
  const { bsize, blocks, bavail, files, ffree } = found;
  const free = bavail * bsize;
  if (free < ROOM_FLOOR.bytes && bavail < blocks * ROOM_FLOOR.part) {
    return `only ${Math.floor(free / 1024 ** 2)} MiB of its disk are free`;
  }
  // Not every file system counts its files.
  if (files > 0 && ffree < ROOM_FLOOR.files && ffree < files * ROOM_FLOOR.part) {
    return `only ${ffree} more files find room on its disk`;
  }
  return null;
}
