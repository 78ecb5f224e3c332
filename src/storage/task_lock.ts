import { join } from "node:path";
import { tryLock } from "./kernel_lock.ts";

/**
 * Takes the right to drive a task, which one server at a time has, until the result is disposed; `null` while another
 * server has it. The kernel frees it when its holder dies, however that happens.
 */
export function takeTask(taskDirectory: string): Disposable | null {
  return tryLock(join(taskDirectory, "task.lock"));
}
