import { readAt } from "../process/read_at.ts";

/**
 * Reads a file at a place where somebody may put anything at any time; `null` where it is none, is larger, or cannot be
 * written. To open a pipe for reading alone is to wait for whoever writes into it.
 */
export async function readPlain(path: string, { maxBytes }: { readonly maxBytes: number }): Promise<Uint8Array | null> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    const { isFile, size } = await file.stat();
    return isFile && size <= maxBytes ? await readAt(file, { start: 0, length: size }) : null;
  } catch {
    return null;
  }
}
