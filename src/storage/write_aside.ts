/**
 * Writes small files so that a power cut harms none of them. Only flushing is waited for: to go through another thread
 * takes ten times as long as any other step here.
 */

/**
 * Replaces `path` with `text`: written beside it, flushed, then renamed over it, so that even after a power cut there is
 * all of the old or all of the new. Mode 0600.
 */
export async function writeAside(path: string, text: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeNew(aside, text);
    Deno.renameSync(aside, path);
  } catch (error) {
    await Deno.remove(aside).catch(() => undefined);
    throw error;
  }
}

/** Writes a file that must not be there yet and flushes it. Mode 0600. */
export async function writeNew(path: string, text: string): Promise<void> {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  await file.sync();
}

/** Flushes the names in a directory: those of files whose content is on disk may still be lost with the power. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = Deno.openSync(path, { read: true });
    await directory.sync();
  } catch {
    // Windows opens no directories, and what cannot be flushed is written in a few seconds.
  }
}
