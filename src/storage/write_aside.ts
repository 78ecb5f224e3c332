/** Replaces `path` with `text`, on disk when it returns: written beside it, flushed, then renamed over it. Mode 0600. */
export async function writeAside(path: string, text: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    {
      using file = await Deno.open(aside, { write: true, createNew: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    await Deno.rename(aside, path);
  } catch (error) {
    await Deno.remove(aside).catch(() => undefined);
    throw error;
  }
}
