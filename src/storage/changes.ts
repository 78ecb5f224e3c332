/**
 * Calls `look` now and after each change in `directory`, until it gives true or `until` settles. The one who waits for
 * an event of a run that has only just been started uses this; there is no watch to spare for every task.
 */
export async function watchUntil(
  directory: string,
  options: { readonly look: () => Promise<boolean>; readonly until: Promise<unknown> },
): Promise<void> {
  using watcher = Deno.watchFs(directory, { recursive: false });
  let isOver = false;
  const over = options.until.then(() => {
    isOver = true;
  });
  const changes = watcher[Symbol.asyncIterator]();
  while (!isOver && !await options.look()) {
    await Promise.race([changes.next(), over]);
  }
}
