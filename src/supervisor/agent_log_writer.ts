import { eventLines } from "../codex/event_lines.ts";
import { isPromptNotice } from "../codex/stderr_message.ts";
import { parseEvent } from "../codex/parse_events.ts";
import { processStateWords } from "../process/process_state.ts";
import { readNotedRun, readRunStart } from "../process/run_files.ts";
import type { RunHost } from "../process/run_host.ts";
import { TailedFile } from "../storage/tailed_file.ts";
import { logIdOf } from "../storage/agent_log_files.ts";
import type { TextLog } from "../storage/text_log.ts";
import { agentIdOf } from "../task/agent_id.ts";
import type { FinishedTask } from "../task/task.ts";
import { endLines } from "./agent_log_end.ts";
import { jsonLine, type LogLineLevel, preview, textLine } from "./agent_log_lines.ts";
import { findResumePoint } from "./agent_log_resume.ts";
import type { FollowedTask } from "./followed_task.ts";

/** codex-as-mcp's figures. */
const PROGRESS_EVERY_MS = 10_000;
const CHANGED_PROGRESS_EVERY_MS = 2_000;
const STALLED_AFTER_MS = 60_000;
const TIMEOUT_WARNING_MS = 50_000;
/** Longest last line in a `progress` and in a `stalled` line, in characters. */
const MAX_LAST = 80;
const MAX_STALLED_LAST = 100;

export interface AgentLogOptions {
  readonly host: Pick<RunHost, "observe">;
  readonly now: () => Date;
}

/** Writes what a task's agent does into its log; each step costs two looks at files when nothing is new. */
export class AgentLogWriter {
  readonly #followed: FollowedTask;
  readonly #options: AgentLogOptions;
  readonly #log: TextLog;
  readonly #events: TailedFile;
  readonly #stderr: TailedFile;
  /** Lines so far, those that another server has written included. */
  readonly #counts = { stdout: 0, stderr: 0 };
  /** How many of them stand in the log already. */
  #written = { stdout: 0, stderr: 0 };
  #run = 0;
  #lastLine = "";
  #lastOutputAt: Date | null = null;
  #told = { line: "", at: new Date(0), stalledAt: new Date(0), hasWarned: false, waitingUntil: 0 };

  constructor(followed: FollowedTask, log: TextLog, options: AgentLogOptions) {
    this.#followed = followed;
    this.#options = options;
    this.#log = log;
    this.#events = followed.directory.events();
    this.#stderr = new TailedFile(followed.directory.stderrFile);
  }

  /** Goes on where another server has stopped, if one has begun. */
  async resume(): Promise<void> {
    const point = await findResumePoint(this.#log.path);
    if (point === null) return;
    this.#written = point;
    this.#run = (await readRunStart(this.#followed.directory.path))?.run ?? 0;
    this.#lastOutputAt = this.#followed.directory.lastEventAt();
    this.#json("INFO", "adopted", "Another server goes on with this agent and its log");
  }

  /** Writes what is new. Throws what the system says when that is impossible; nothing is lost then. */
  async step(): Promise<void> {
    await this.#takeRun();
    await this.#takeOutput();
    const { state } = this.#followed.task;
    if (state.status === "waiting" && state.until !== null && state.until.getTime() !== this.#told.waitingUntil) {
      this.#told.waitingUntil = state.until.getTime();
      this.#json("WARNING", "waiting", `Usage limit: the agent goes on at ${state.until.toISOString()}`);
    }
    if (state.status === "running" && this.#run > 0) await this.#takeTime(state.startedAt);
    await this.#log.flush();
  }

  /** Writes the rest of the output and how the agent ended. */
  async finish(task: FinishedTask): Promise<void> {
    await this.#takeRun();
    await this.#takeOutput();
    this.#takeEvent(this.#events.takeTornTail());
    this.#takeStderr(this.#stderr.takeTornTail());
    const answer = this.#followed.progress.lastMessage;
    for (const { form, level, event, message, context } of endLines(task, { ...this.#counts, answer })) {
      if (form === "text") this.#text(level, event, message);
      else this.#json(level, event, message, context);
    }
    await this.#log.flush();
  }

  /** Notes each run of the task once its agent has noted itself. */
  async #takeRun(): Promise<void> {
    const { directory, task } = this.#followed;
    if (!("run" in task.state) || task.state.run <= this.#run) return;
    const start = await readRunStart(directory.path);
    if (start === null || start.run <= this.#run) return;
    const noted = await readNotedRun(directory.path);
    this.#run = start.run;
    this.#lastOutputAt ??= start.at;
    const agentPid = noted === null ? {} : { agent_pid: noted.agent.pid };
    this.#json("INFO", "process_start", "Codex was started", { ...agentPid, run: start.run });
  }

  async #takeOutput(): Promise<void> {
    const before = this.#events.offset + this.#stderr.offset;
    for await (const line of this.#events.read()) this.#takeEvent(line);
    for await (const line of this.#stderr.read()) this.#takeStderr(line);
    if (this.#events.offset + this.#stderr.offset > before) this.#lastOutputAt = this.#options.now();
  }

  #takeEvent(line: string | null): void {
    if (line === null || line.trim() === "") return;
    const entry = eventLines(parseEvent(line)).flatMap(({ level, text }) => this.#outputLine("stdout", level, text));
    if (entry.length > 0) this.#log.append(entry.join("\n"));
  }

  #takeStderr(line: string | null): void {
    if (line === null || line.trim() === "" || isPromptNotice(line)) return;
    for (const text of this.#outputLine("stderr", "INFO", line)) this.#log.append(text);
  }

  /** None for a line that stands in the log already. */
  #outputLine(stream: "stdout" | "stderr", level: LogLineLevel, message: string): string[] {
    this.#counts[stream]++;
    this.#lastLine = message;
    if (this.#counts[stream] <= this.#written[stream]) return [];
    return [textLine({ at: this.#options.now(), level, event: stream, message })];
  }

  async #takeTime(startedAt: Date): Promise<void> {
    const now = this.#options.now();
    const elapsedMs = now.getTime() - startedAt.getTime();
    if (elapsedMs >= TIMEOUT_WARNING_MS && !this.#told.hasWarned) {
      this.#told.hasWarned = true;
      const message = "50 s have passed: a client that waits at most 60 s for a call is about to give up";
      this.#json("WARNING", "timeout_warning", message, { elapsed_seconds: Math.round(elapsedMs / 1000) });
    }
    const last = preview(this.#lastLine, MAX_STALLED_LAST);
    const sinceTold = now.getTime() - this.#told.at.getTime();
    if (sinceTold >= (last === this.#told.line ? PROGRESS_EVERY_MS : CHANGED_PROGRESS_EVERY_MS)) {
      this.#told = { ...this.#told, line: last, at: now };
      const { stdout, stderr } = this.#counts;
      const elapsed = Math.round(elapsedMs / 1000);
      const words = `[agent] ${elapsed}s elapsed; stdout=${stdout}; stderr=${stderr}; last: ${preview(last, MAX_LAST)}`;
      this.#text("INFO", "progress", words);
    }
    const silentMs = now.getTime() - (this.#lastOutputAt ?? startedAt).getTime();
    const sinceStalled = now.getTime() - this.#told.stalledAt.getTime();
    if (silentMs < STALLED_AFTER_MS || sinceStalled < STALLED_AFTER_MS) return;
    this.#told.stalledAt = now;
    const silent = Math.round(silentMs / 1000);
    const words = `No new output for ${silent}s. Process state: ${await this.#processState()}. Last: ${last}`;
    this.#json("WARNING", "stalled", words, { silent_seconds: silent });
  }

  async #processState(): Promise<string> {
    const { path } = this.#followed.directory;
    try {
      return processStateWords((await this.#options.host.observe([path])).get(path)?.state);
    } catch {
      return processStateWords(undefined);
    }
  }

  #text(level: LogLineLevel, event: string, message: string): void {
    this.#log.append(textLine({ at: this.#options.now(), level, event, message }));
  }

  #json(level: LogLineLevel, event: string, message: string, context: Readonly<Record<string, unknown>> = {}): void {
    const who = {
      agent_id: logIdOf(this.#log.path),
      task_id: agentIdOf(this.#followed.task),
      pid: this.#log.writerPid,
    };
    this.#log.append(jsonLine({ at: this.#options.now(), level, event, message }, { ...who, ...context }));
  }
}
