import type { CallToolResult } from "@modelcontextprotocol/server";
import type { HandleCall, HandleEnd } from "../storage/handle_files.ts";
import { TaskError } from "../task/errors.ts";
import { cutEnd } from "../tools/bounded_text.ts";
import type { ToolCall } from "../tools/tool.ts";
import { atMost } from "./at_most.ts";
import { CallEnds, type CallEndsOptions } from "./call_ends.ts";
import { callResult, served } from "./call_tool.ts";
import { CancelledCalls } from "./cancelled_calls.ts";
import { endedView, type HandleView, workingView } from "./handle_view.ts";
import { KeptCall } from "./kept_call.ts";
import { type StagedTool, stagedToolOf } from "./staged_tool_of.ts";
import { readInput } from "./tool_input.ts";

/** How long a look waits for words about how far the work is, and for agents to be stopped that should have been before. */
const WORDS_MS = 500;
const STOP_MS = 500;
/** Longest id that is repeated. */
const MAX_ID = 80;

export interface KeptCallsOptions extends CallEndsOptions {
  /** Names of those that this server offers: it cancels calls of no other. */
  readonly offered: readonly string[];
  /** How long an end is kept. */
  readonly maxAgeMs: number;
}

/** The calls of all clients that were answered with handles. Their ends stand on disk; any server finds them. */
export class KeptCalls {
  readonly #options: KeptCallsOptions;
  readonly #ends: CallEnds;
  readonly #cancelled: CancelledCalls;

  constructor(options: KeptCallsOptions) {
    this.#options = options;
    this.#ends = new CallEnds(options);
    this.#cancelled = new CancelledCalls(options);
  }

  /** Carries out what servers that were killed have left half done, now and from then on. */
  open(): void {
    this.#cancelled.open();
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
      this.#ends.follow(id, record, kept);
      if (call.signal.aborted && call.interruption() === "cancelled") {
        await this.cancel(id);
        throw call.signal.reason;
      }
      return { content: [], resultType: "task", ...await working(id, record, kept) };
    }, { tool, call, log });
  }

  /** Tells how a call stands. Throws `unknown_task`. */
  async get(id: string): Promise<HandleView> {
    const { files } = this.#options;
    const call = await this.#read(id);
    const end = await files.readEnd(id);
    if (end !== null) return await this.#ended(id, call, end);
    const kept = await this.#ends.look(id, call);
    return kept.end === null ? await working(id, call, kept) : await this.#ended(id, call, kept.end);
  }

  /** Cancels what a handle stands for, unless it has ended. Throws `unknown_task`, or when something cannot be stopped. */
  async cancel(id: string): Promise<void> {
    const { files, tools, offered, now } = this.#options;
    const call = await this.#read(id);
    stagedToolOf(call, tools);
    if (!offered.includes(call.tool)) {
      const message = `Cannot cancel a call of ${call.tool}: this server does not offer it. Use one that does.`;
      throw new TaskError("not_available", message);
    }
    // Before anything is stopped: what is stopped has an answer too, which must not come first.
    const end = await files.end(id, { status: "cancelled", endedAt: now() });
    if (end.status !== "cancelled") return;
    this.#ends.cancel(id);
    await this.#cancelled.stop(id, call);
  }

  /** Throws `unknown_task` unless a call was answered with this handle. */
  async check(id: string): Promise<void> {
    await this.#read(id);
  }

  /** Tells whether handles can be made: not in a newer program's state directory. */
  async isWritable(): Promise<boolean> {
    return await this.#options.files.isWritable();
  }

  /** Settles when nothing is waited for or stopped any more, once the server ends. */
  async settled(): Promise<void> {
    await Promise.all([this.#ends.settled(), this.#cancelled.settled()]);
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

  async #ended(id: string, call: HandleCall, end: HandleEnd): Promise<HandleView> {
    const { services, maxAgeMs } = this.#options;
    // Another server may have seen the end, or cancelled the call.
    this.#ends.cancel(id);
    // That server may have been killed before it had stopped anything.
    if (end.status === "cancelled") await atMost(STOP_MS, this.#cancelled.carryOut(id, call));
    if (end.status === "completed") {
      await Promise.all(end.told.map((task) => services.supervisor.markRead(task)));
    }
    return endedView(id, call, { end, maxAgeMs });
  }
}

async function working(id: string, call: HandleCall, kept: KeptCall): Promise<HandleView> {
  return workingView(id, call, await atMost(WORDS_MS, kept.describe()) ?? null);
}
