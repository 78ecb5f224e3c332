/** All that a history acts on: servers, agents, strangers, and what the model knows of them. */
import { join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { listTaskIds } from "../../src/storage/list_task_ids.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import type { FinishedTask, Task } from "../../src/task/task.ts";
import type { Answer } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import type { AgentLedger, LedgerRun } from "./agent_ledger.ts";
import { Calls } from "./calls.ts";
import { installModelCodex, type ModelCodex } from "./model_codex.ts";
import type { ModelRequest } from "./requests.ts";
import { type LiveServer, Servers } from "./servers.ts";
import { Strangers } from "./strangers.ts";
import { killProcess, lives, seeProcesses } from "./system_processes.ts";

export interface WorldOptions {
  /** Places for servers. */
  readonly places: number;
  readonly maxConcurrent: number;
  readonly orphanGraceMs: number;
}

export class World implements AsyncDisposable {
  readonly options: WorldOptions;
  readonly stateDir: string;
  readonly tasksDir: string;
  readonly codex: ModelCodex;
  readonly servers: Servers;
  readonly strangers = new Strangers();
  readonly calls = new Calls();
  /** By their keys. */
  readonly requests = new Map<string, ModelRequest>();
  readonly byTask = new Map<string, ModelRequest>();
  /** What was told or written of tasks that have ended, by their ids. */
  readonly ends = new Map<string, { readonly told: string; record?: string; isChecked?: boolean }>();
  readonly broken: string[] = [];
  mostAtOnce = 0;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    { options, directory, cwd, codex, stack }: {
      readonly options: WorldOptions;
      readonly directory: string;
      readonly cwd: string;
      readonly codex: ModelCodex;
      readonly stack: AsyncDisposableStack;
    },
  ) {
    this.options = options;
    this.stateDir = join(directory, "state");
    this.tasksDir = join(this.stateDir, "tasks");
    this.codex = codex;
    this.servers = new Servers({ ...options, directory, cwd, stateDir: this.stateDir, codex });
    this.#stack = stack;
  }

  static async make(options: WorldOptions): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await tempDirectory()).path;
    const cwd = stack.use(await tempRepo()).path;
    const codex = await installModelCodex(directory);
    return new World({ options, directory, cwd, codex, stack: stack.move() });
  }

  get ledger(): AgentLedger {
    return this.codex.ledger;
  }

  /** The runs of a task, the last one last. */
  runsOf(id: string): LedgerRun[] {
    return this.ledger.runs.filter(({ taskId }) => taskId === id);
  }

  directory(id: string): TaskDirectory {
    return new TaskDirectory(this.tasksDir, id);
  }

  add(request: ModelRequest): ModelRequest {
    this.requests.set(request.key, request);
    return request;
  }

  /** Learns which task a request has become. */
  identify(request: ModelRequest, id: string): void {
    if (request.id !== null && request.id !== id) this.broken.push(`${request.key} is task ${request.id} and ${id}`);
    request.id = id;
    this.byTask.set(id, request);
  }

  /** The task that a request has become, if it has; looked for among those on disk when nobody has told it. */
  async taskOf(request: ModelRequest | undefined): Promise<string | null> {
    if (request === undefined || request.isAged) return null;
    if (request.id === null) await this.scan();
    return request.id;
  }

  /** Finds tasks whose ids no answer has told, since the server was killed before it could. */
  async scan(): Promise<void> {
    for (const id of await listTaskIds(this.tasksDir)) {
      if (this.byTask.has(id) || await this.directory(id).read() === null) continue;
      const key = /key=(\w+)/.exec(await this.directory(id).readInput("prompt.txt"))?.[1] ?? "";
      const request = this.requests.get(key);
      if (request === undefined) this.broken.push(`task ${id} was never asked for`);
      else this.identify(request, id);
    }
  }

  /** Reads the records of all tasks that are to be there. */
  async records(): Promise<{ readonly id: string; readonly request: ModelRequest; readonly task: Task }[]> {
    await this.scan();
    const records = [];
    for (const [id, request] of this.byTask) {
      if (request.isAged) continue;
      const task = await this.directory(id).read();
      if (task === null) this.broken.push(`task ${id} (${request.key}) is gone`);
      else records.push({ id, request, task });
    }
    return records;
  }

  /** Notes what a server told of a task; an end never changes. */
  noteTold(data: Readonly<Record<string, unknown>>): void {
    const { task_id: id, status, exit_code: exitCode, ended_at: endedAt } = data;
    const request = this.byTask.get(String(id));
    if (request === undefined) return;
    if (status === "not_found" || status === "error") {
      if (!request.isAged) this.broken.push(`a server does not know task ${id}: ${JSON.stringify(data)}`);
    } else if (endedAt !== undefined) this.#noteEnd(String(id), `${status}, exit code ${exitCode}, at ${endedAt}`);
  }

  /** Notes what stands on disk of a task that has ended. */
  async noteRecord({ id, state: { outcome, endedAt } }: FinishedTask): Promise<void> {
    const end = this.#noteEnd(id, `${outcome.status}, exit code ${outcome.exitCode}, at ${endedAt.toISOString()}`);
    const record = await Deno.readTextFile(join(this.directory(id).path, "task.json"));
    if ((end.record ??= record) !== record) this.broken.push(`the record of ended task ${id} has changed: ${record}`);
  }

  /** Makes a call; `null` when its server went away or the client took the call back. */
  async ask(
    server: LiveServer,
    tool: string,
    { args, signal }: { readonly args: Readonly<Record<string, unknown>>; readonly signal: AbortSignal },
  ): Promise<Answer | null> {
    try {
      const answer = await this.servers.call(server, tool, { args, signal });
      return server.isGoing && answer.isError ? null : answer;
    } catch (error) {
      if (!server.isGoing && !signal.aborted) this.broken.push(`${tool} failed: ${error}`);
      return null;
    }
  }

  /** Counts the agents that live at this moment. */
  async sample(): Promise<void> {
    await this.ledger.refresh();
    let living = 0;
    for (const run of this.ledger.open) {
      if (await lives(run)) living++;
      // Whoever ends writes that down before.
      else if (run.end === null) await this.#forgetKilled(run);
    }
    this.mostAtOnce = Math.max(this.mostAtOnce, living);
    if (living > this.options.maxConcurrent) this.broken.push(`${living} agents at once`);
  }

  /** Kills the shim of a task's last run, if it lives. */
  async killShim(id: string): Promise<void> {
    const noted = await readNotedRun(this.directory(id).path);
    if (noted !== null) await killProcess({ pid: noted.shim.pid, start: noted.shim.mark });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.servers[Symbol.asyncDispose]();
    await this.calls.abandon();
    // Shims first: nothing is to be written any more.
    for (let looks = 0; looks < 50; looks++) {
      const own = (await seeProcesses()).filter(({ command, taskId }) =>
        command.includes(this.stateDir) || taskId !== undefined && this.byTask.has(taskId)
      );
      if (own.length === 0) break;
      for (const process of own) await killProcess(process);
    }
    await this.strangers[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }

  async #forgetKilled(run: LedgerRun): Promise<void> {
    await this.ledger.refresh();
    this.ledger.forget(run);
  }

  #noteEnd(id: string, told: string): { readonly told: string; record?: string } {
    const end = this.ends.get(id) ?? { told };
    this.ends.set(id, end);
    if (end.told !== told) this.broken.push(`the end of task ${id} has changed from ${end.told} to ${told}`);
    return end;
  }
}
