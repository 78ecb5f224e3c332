/** Items that are worked on at the same time. */
const AT_ONCE = 16;

/** Does the same with all items, with so many at once that files and memory do not run out. */
export async function forEachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
