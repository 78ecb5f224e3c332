/** Processes that are no agents' but look as if they were: nobody may ever signal them. */
import type { StrangerKind } from "./steps.ts";

/** What a stranger pretends to belong to. */
export interface Pretence {
  readonly taskId: string;
  readonly threadId: string;
  /** Directory of that task. */
  readonly directory: string;
}

/** A task that no server of the test ever had. */
const OTHER_TASK = "ffffffff";

export class Strangers implements AsyncDisposable {
  readonly #living = new Map<Deno.ChildProcess, string>();
  /** Those that have ended, in words. */
  readonly ended: string[] = [];

  /** Starts one that only seems to belong to the task; gives its process id. */
  start(kind: StrangerKind, pretence: Pretence): number {
    const child = new Deno.Command("sleep", {
      args: ["1000"],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", ...environmentOf(kind, pretence) },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#living.set(child, `${kind} of task ${pretence.taskId}`);
    void child.status.then(({ signal, code }) => {
      const what = this.#living.get(child);
      if (what !== undefined) this.ended.push(`${what} ended with ${signal ?? code}`);
      this.#living.delete(child);
    });
    return child.pid;
  }

  get count(): number {
    return this.#living.size;
  }

  /** Ends all of them as nobody else may. */
  async kill(): Promise<void> {
    const children = [...this.#living.keys()];
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#living.keys()];
    this.#living.clear();
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
  }
}

function environmentOf(kind: StrangerKind, { taskId, threadId, directory }: Pretence): Record<string, string> {
  switch (kind) {
    case "other task":
      return { CODEX_SWARM_TASK_ID: OTHER_TASK };
    case "longer id":
      return { CODEX_SWARM_TASK_ID: `${taskId}0`, CODEX_THREAD_ID: `${threadId}0` };
    case "within a value":
      return { NOTE: `see\nCODEX_SWARM_TASK_ID=${taskId}\nCODEX_THREAD_ID=${threadId}` };
    case "same thread":
      return { CODEX_SWARM_TASK_ID: OTHER_TASK, CODEX_THREAD_ID: threadId };
    case "same words":
      return { XCODEX_SWARM_TASK_ID: taskId, PWD: directory, MODEL: directory };
  }
}
