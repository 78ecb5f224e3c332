/** Many agents of one server: started, waited for, checked. */
import { hasEnded, taskIdOf, tasksOf, type ToldTask } from "./answers.ts";
import type { Connection } from "./connection.ts";

/** Does the work for all items, at most so many at once; results in the items' order. */
export async function inParallel<T, R>(
  items: readonly T[],
  { inFlight, work }: { readonly inFlight: number; readonly work: (item: T) => Promise<R> },
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, items.length) }, lane));
  return results;
}

/** Starts an agent for each prompt; gives their ids. */
export async function startAgents(
  server: Connection,
  prompts: readonly string[],
  { inFlight = 8 }: { readonly inFlight?: number } = {},
): Promise<string[]> {
  const work = async (prompt: string): Promise<string> => taskIdOf(await server.call("codex_async", { prompt }));
  return await inParallel(prompts, { inFlight, work });
}

/** Waits until all tasks have ended and were told, over as many calls as that takes; gives what was told. */
export async function waitForAll(server: Connection, ids: readonly string[]): Promise<Map<string, ToldTask>> {
  const ends = new Map<string, ToldTask>();
  const left = new Set(ids);
  while (left.size > 0) {
    const answer = await server.call("codex_wait", { task_ids: [...left] });
    const told = [...tasksOf(answer)].filter(([id, task]) => left.has(id) && hasEnded(task));
    if (told.length === 0) throw new Error(`codex_wait told no end: ${answer.text.slice(0, 300)}`);
    for (const [id, task] of told) {
      ends.set(id, task);
      left.delete(id);
    }
  }
  return ends;
}

/** How many of the tasks ended with the code that their agent had. */
export function countRightCodes(
  ids: readonly string[],
  ends: ReadonlyMap<string, ToldTask>,
  codeOf: (index: number) => number,
): number {
  return ids.filter((id, index) => {
    const end = ends.get(id);
    return end?.exitCode === codeOf(index) && end.status === (codeOf(index) === 0 ? "completed" : "failed");
  }).length;
}
