import { join } from "node:path";

/**
 * Takes the right to drive a task, which one server at a time has, until the result is disposed; `null` while another
 * server has it. The kernel frees it when its holder dies, however that happens.
 */
export async function takeTask(taskDirectory: string): Promise<Disposable | null> {
  const file = await Deno.open(join(taskDirectory, "task.lock"), { write: true, create: true, mode: 0o600 });
  let isTaken = false;
  try {
    isTaken = await file.tryLock(true);
  } finally {
    if (!isTaken) file.close();
  }
  return isTaken ? { [Symbol.dispose]: () => file.close() } : null;
}
