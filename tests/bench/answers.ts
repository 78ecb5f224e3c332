/** Reads answers of any server that has codex-mcp-swarm's tools: data where there are some, else its words. */

export interface Answer {
  readonly text: string;
  /** `undefined` where the server gives text only. */
  readonly structured: unknown;
  readonly isError: boolean;
  /** From the call to its answer. */
  readonly ms: number;
  /** On the clock of `performance.now()`. */
  readonly receivedAt: number;
}

/** What is told of a task. */
export interface ToldTask {
  readonly status: string;
  /** `null` while it runs, and where it is not told. */
  readonly exitCode: number | null;
}

/** A property of data from outside; `undefined` where there is none. */
export function get(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The first line of what an error says. */
export function reasonOf(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).trim().split("\n");
  return line;
}

/** The id of the task that was started. Throws with the answer when there is none. */
export function taskIdOf(answer: Answer): string {
  const id = get(answer.structured, "task_id");
  if (typeof id === "string") return id;
  const [, told] = /^Task ID: *(\S+)/m.exec(answer.text) ?? /\bCodex task (\S+) started\b/.exec(answer.text) ?? [];
  if (answer.isError || told === undefined) throw new Error(`no task was started: ${answer.text.slice(0, 300)}`);
  return told;
}

/** What an answer of `codex_wait` or `codex_status` tells, by task; its data before its words. */
export function tasksOf(answer: Answer): Map<string, ToldTask> {
  const told = new Map<string, ToldTask>();
  // `=== Task <id> (FAILED in 3s, exit 2) ===`, and `=== Task <id> === STILL RUNNING …`
  for (const [, id = "", words = "", after = ""] of answer.text.matchAll(/^=== Task (\S+) (?:\((.*)\) )?===(.*)$/gm)) {
    told.set(id, toldInWords(`${words}${after}`));
  }
  const tasks = get(answer.structured, "tasks");
  if (!Array.isArray(tasks)) return told;
  return new Map(tasks.map((task) => {
    const id = String(get(task, "task_id"));
    // Of very many tasks the data tell less than the words.
    const exitCode = get(task, "exit_code") ?? told.get(id)?.exitCode;
    return [id, { status: String(get(task, "status")), exitCode: typeof exitCode === "number" ? exitCode : null }];
  }));
}

function toldInWords(words: string): ToldTask {
  const status = (/\b(?:completed|failed|cancelled|not found)\b/i.exec(words)?.[0] ?? "running").toLowerCase();
  const exit = /\bexit (\d+)/.exec(words)?.[1];
  return { status, exitCode: status === "completed" ? 0 : exit === undefined ? null : Number(exit) };
}

/** Tells whether a task with this status will not change any more. */
export function hasEnded({ status }: ToldTask): boolean {
  return ["completed", "failed", "cancelled", "timed_out", "interrupted"].includes(status);
}
