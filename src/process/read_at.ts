/** Reads so many bytes of a file from there on; fewer where it ends before. */
export async function readAt(
  file: Deno.FsFile,
  { start, length }: { readonly start: number; readonly length: number },
): Promise<Uint8Array> {
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
