import { type CallToolResult, ProtocolError } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import { pause } from "../process/pause.ts";
import type { HandleCall, HandleEnd, HandleFiles } from "../storage/handle_files.ts";
import { TaskError } from "../task/errors.ts";
import { cutEnd } from "../tools/bounded_text.ts";
import type { Stages, Tool, ToolCall, ToolServices } from "../tools/tool.ts";
import { callResult, served } from "./call_tool.ts";
import { endedView, type HandleView, workingView } from "./handle_view.ts";
import { KeptCall } from "./kept_call.ts";
import { readInput } from "./tool_input.ts";

/** How long a look waits for an answer that is being made, and for words about how far the work is. */
const ANSWER_MS = 500;
const WORDS_MS = 500;
/** Longest id that is repeated. */
const MAX_ID = 80;

export interface KeptCallsOptions {
  readonly files: HandleFiles;
  /** All that there are: other servers may offer others than this one. */
  readonly tools: readonly Tool[];
  /** Names of those that this server offers: it cancels calls of no other. */
  readonly offered: readonly string[];
  readonly services: ToolServices;
  readonly repository: ToolCall["repository"];
  /** How long an end is kept. */
  readonly maxAgeMs: number;
  /** Aborted when the server ends: it waits for nothing then, and stops nothing. */
  readonly ending: AbortSignal;
  readonly log: Log;
  readonly now: () => Date;
}

/** A tool whose calls can be answered with a handle. */
export type StagedTool = Tool & { readonly stages: Stages };

/** The calls of all clients that were answered with handles. Their ends stand on disk; any server finds them. */
export class KeptCalls {
  readonly #options: KeptCallsOptions;
  /** Those whose end this server waits for, or could not write down. */
  readonly #calls = new Map<string, KeptCall>();

  constructor(options: KeptCallsOptions) {
    this.#options = options;
  }

  /** Begins a call. Gives its handle, which is on disk then; or its answer when it has one at once, or no handle can be made. */
  async begin(tool: StagedTool, given: unknown, call: ToolCall): Promise<CallToolResult> {
    const { services, log } = this.#options;
    return await served(async () => {
      const kept = new KeptCall();
      // Who comes back for the answer bears any wait.
      const asked = { ...call, waitMs: Infinity, handle: kept };
      const begun = await tool.stages.begin(readInput(tool, given), asked, services);
      if ("answer" in begun) return callResult(begun.answer);
      const id = crypto.randomUUID();
      const { answerChars } = call;
      const record = { tool: tool.name, ...begun, answerChars, createdAt: this.#options.now() };
      try {
        await this.#options.files.create(id, record);
      } catch (error) {
        log.error("a handle could not be written down; its call waits instead", { tool: tool.name, error });
        return callResult(await tool.stages.finish(begun.kept, call, services));
      }
      this.#wait(id, record, kept);
      if (call.signal.aborted && call.interruption() === "cancelled") {
        await this.cancel(id);
        throw call.signal.reason;
      }
      return { content: [], resultType: "task", ...await this.#working(id, record) };
    }, { tool, call, log });
  }

  /** Tells how a call stands. Throws `unknown_task`. */
  async get(id: string): Promise<HandleView> {
    const { files, services, maxAgeMs } = this.#options;
    const call = await this.#read(id);
    const end = await files.readEnd(id) ?? await this.#look(id, call);
    if (end === null) return await this.#working(id, call);
    // Another server may have seen the end, or cancelled the call.
    this.#calls.get(id)?.cancel();
    if (end.status === "completed") {
      await Promise.all(end.told.map((task) => services.supervisor.markRead(task)));
    }
    return endedView(id, call, { end, maxAgeMs });
  }

  /** Cancels what a handle stands for, unless it has ended. Throws `unknown_task`, or when something cannot be stopped. */
  async cancel(id: string): Promise<void> {
    const { files, services, offered, now } = this.#options;
    const call = await this.#read(id);
    const { stages } = this.#tool(call);
    if (!offered.includes(call.tool)) {
      const message = `Cannot cancel a call of ${call.tool}: this server does not offer it. Use one that does.`;
      throw new TaskError("not_available", message);
    }
    // Before anything is stopped: what is stopped has an answer too, which must not come first.
    const end = await files.end(id, { status: "cancelled", endedAt: now() });
    if (end.status !== "cancelled") return;
    this.#calls.get(id)?.cancel();
    await stages.cancel(call.kept, services);
  }

  /** Throws `unknown_task` unless a call was answered with this handle. */
  async check(id: string): Promise<void> {
    await this.#read(id);
  }

  /** Tells whether handles can be made: not in a newer program's state directory. */
  async isWritable(): Promise<boolean> {
    return await this.#options.files.isWritable();
  }

  /** Settles when nothing is waited for any more, once the server ends. */
  async settled(): Promise<void> {
    await Promise.all([...this.#calls.values()].map(({ finished }) => finished));
  }

  async #read(id: string): Promise<HandleCall> {
    const call = await this.#options.files.read(id);
    if (call !== null) return call;
    throw new TaskError(
      "unknown_task",
      `Cannot find task "${cutEnd(id, MAX_ID)}": no call was answered with it, or it ended too long ago. Call the ` +
        "tool again; of agents, which have ids of their own, codex_status tells.",
    );
  }

  #tool({ tool: name }: HandleCall): StagedTool {
    const tool = this.#options.tools.find((tool) => tool.name === name);
    if (tool?.stages === undefined) {
      const message =
        `Cannot go on with a call of ${name}: this codex-swarm has no such tool. Ask one of the version ` +
        "that answered the call.";
      throw new TaskError("not_available", message);
    }
    return { ...tool, stages: tool.stages };
  }

  /** Waits for the end of a call unless that is done already, and for a moment for an answer that may be there. */
  async #look(id: string, call: HandleCall): Promise<HandleEnd | null> {
    this.#tool(call);
    const known = this.#calls.get(id);
    const kept = known ?? new KeptCall();
    if (known === undefined) this.#wait(id, call, kept);
    if (kept.end === null && (known === undefined || kept.isBusy)) await atMost(ANSWER_MS, kept.finished);
    return kept.end;
  }

  #wait(id: string, call: HandleCall, kept: KeptCall): void {
    if (this.#options.ending.aborted) return;
    this.#calls.set(id, kept);
    kept.noteFinishing(this.#finish(id, call, kept));
  }

  /** Never rejects. */
  async #finish(id: string, record: HandleCall, kept: KeptCall): Promise<void> {
    const { files, repository, ending, log } = this.#options;
    const signal = AbortSignal.any([ending, kept.cancelled]);
    const call: ToolCall = {
      signal,
      ending,
      interruption: () => "client_left",
      answerChars: record.answerChars,
      waitMs: Infinity,
      callerThreadId: null,
      repository,
      report: () => Promise.resolve(),
      handle: kept,
    };
    let end: HandleEnd | null = null;
    try {
      end = await this.#endOf(record, { call, kept });
      // Whoever asks the next server is told by that one, and what was cancelled has no other end.
      if (!signal.aborted) kept.noteEnd(await files.end(id, end));
      this.#calls.delete(id);
    } catch (error) {
      log.error("the end of a call could not be written down", { handle: id, error });
      // Only this server knows the end then, if there is one.
      if (end === null) this.#calls.delete(id);
      else kept.noteEnd(end);
    }
  }

  /** Waits for how a call ends. Throws `not_available`. */
  async #endOf(
    record: HandleCall,
    { call, kept }: { readonly call: ToolCall; readonly kept: KeptCall },
  ): Promise<HandleEnd> {
    const { services, log, now } = this.#options;
    const tool = this.#tool(record);
    try {
      const finish = async (): Promise<CallToolResult> =>
        callResult(await tool.stages.finish(record.kept, call, services));
      const result = await served(finish, { tool, call, log });
      return { status: "completed", endedAt: now(), result, told: kept.told };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      return { status: "failed", endedAt: now(), error: { code, message } };
    }
  }

  async #working(id: string, call: HandleCall): Promise<HandleView> {
    return workingView(id, call, await atMost(WORDS_MS, this.#calls.get(id)?.describe()) ?? null);
  }
}

/** What a promise gives within that time. */
async function atMost<T>(ms: number, promise: Promise<T> | undefined): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}
