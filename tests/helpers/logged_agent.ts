/** An agent of which only the log is real: a test writes its files and sets its clock. */
import { join } from "node:path";
import { AgentLogWriter } from "../../src/supervisor/agent_log_writer.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { createLog, TextLog } from "../../src/storage/text_log.ts";
import type { Outcome, Task } from "../../src/task/task.ts";
import { finish, startRun } from "../../src/task/transitions.ts";
import { TASK } from "./tool_calls.ts";
import { tempDirectory } from "./temp_directory.ts";

export const START = Date.parse("2026-11-20T09:00:00Z");
const BEGINNING = '{"ts":"2026-11-20T09:00:00.000Z","level":"INFO","event":"agent_start","message":"Agent started"}';
export const COMPLETED: Outcome = { status: "completed", exitCode: 0, statusInferred: false };

/** A task whose files a test writes, with a clock of its own. */
export class LoggedAgent implements AsyncDisposable {
  readonly logPath: string;
  readonly directory: TaskDirectory;
  seconds = 0;
  state: string | undefined = "S";
  readonly #temp: { readonly path: string } & AsyncDisposable;

  constructor(temp: { readonly path: string } & AsyncDisposable) {
    this.#temp = temp;
    this.logPath = join(temp.path, "logs", "codex_agent_20261120-090000_7_0a1b2c3d.log");
    this.directory = new TaskDirectory(temp.path, "0123abcd");
  }

  static async make(): Promise<LoggedAgent> {
    const agent = new LoggedAgent(await tempDirectory());
    await Deno.mkdir(agent.directory.path);
    await createLog(agent.logPath, () => BEGINNING);
    return agent;
  }

  get now(): Date {
    return new Date(START + this.seconds * 1000);
  }

  /** As a server sees it that starts or finds it. */
  follow(): FollowedTask {
    const task: Task = { ...TASK, createdAt: new Date(START), spec: { ...TASK.spec, agentLog: this.logPath } };
    return new FollowedTask(task, this.directory);
  }

  options(): ConstructorParameters<typeof AgentLogWriter>[2] {
    const activity = (state: string): [string, { state: string; cpuMs: number; processes: number }] => [
      this.directory.path,
      { state, cpuMs: 0, processes: 1 },
    ];
    return {
      host: { observe: () => Promise.resolve(new Map(this.state === undefined ? [] : [activity(this.state)])) },
      now: () => this.now,
    };
  }

  writer(followed: FollowedTask): AgentLogWriter {
    return new AgentLogWriter(followed, new TextLog(this.logPath), this.options());
  }

  async begin(followed: FollowedTask): Promise<void> {
    await Deno.writeTextFile(join(this.directory.path, "process"), "1 100 10 200 20 boot flock\n");
    followed.update(startRun(followed.task, { at: this.now, run: 1, input: "prompt.txt", prompts: 0 }));
  }

  async say(...texts: string[]): Promise<void> {
    const lines = texts.map((text) =>
      `${JSON.stringify({ type: "item.completed", item: { id: "i", type: "agent_message", text } })}\n`
    );
    await Deno.writeTextFile(this.directory.eventsFile, lines.join(""), { append: true });
  }

  async end(followed: FollowedTask, outcome: Outcome = COMPLETED): Promise<void> {
    const progress = await followed.readToEnd();
    followed.update(finish(followed.task, { at: this.now, outcome, progress }));
  }

  /** The lines so far, each JSON one as what it says. */
  lines(): string[] {
    return Deno.readTextFileSync(this.logPath).trimEnd().split("\n").map((line) => {
      if (!line.startsWith("{")) return line;
      const { level, event, message } = JSON.parse(line);
      return `${level} ${event}: ${message}`;
    });
  }

  contexts(): Record<string, unknown>[] {
    const lines = Deno.readTextFileSync(this.logPath).trimEnd().split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line).context);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}
