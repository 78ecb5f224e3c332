/** Codex's first line is short. */
const MAX_BYTES = 16 * 1024;

/** The first line of a file; `null` while there is none, or none that is whole. */
export async function readFirstLine(path: string): Promise<string | null> {
  try {
    using file = await Deno.open(path, { read: true });
    const bytes = new Uint8Array(MAX_BYTES);
    const length = await file.read(bytes);
    const end = bytes.subarray(0, length ?? 0).indexOf(0x0a);
    return end < 0 ? null : new TextDecoder().decode(bytes.subarray(0, end));
  } catch {
    return null;
  }
}
