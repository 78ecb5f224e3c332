import { ProtocolError } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import type { HandleCall, HandleEnd, HandleFiles } from "../storage/handle_files.ts";
import { TaskError } from "../task/errors.ts";
import type { Tool, ToolCall, ToolServices } from "../tools/tool.ts";
import { atMost } from "./at_most.ts";
import { callResult, refusedCall } from "./call_tool.ts";
import { KeptCall } from "./kept_call.ts";
import { stagedToolOf } from "./staged_tool_of.ts";

/** How long a look waits for an answer that is being made. */
const ANSWER_MS = 500;

export interface CallEndsOptions {
  readonly files: HandleFiles;
  /** All that there are: other servers may offer others than this one. */
  readonly tools: readonly Tool[];
  readonly services: ToolServices;
  readonly repository: ToolCall["repository"];
  /** Aborted when the server ends: nothing is waited for then. */
  readonly ending: AbortSignal;
  readonly log: Log;
  readonly now: () => Date;
}

/** Waits for the ends of calls that were answered with handles, and writes them down. */
export class CallEnds {
  readonly #options: CallEndsOptions;
  /** Those whose end this server waits for, or could not write down. */
  readonly #calls = new Map<string, KeptCall>();

  constructor(options: CallEndsOptions) {
    this.#options = options;
  }

  /** Waits for the end of a call, unless the server ends. */
  follow(id: string, call: HandleCall, kept: KeptCall): void {
    if (this.#options.ending.aborted) return;
    this.#calls.set(id, kept);
    kept.noteFinishing(this.#finish(id, call, kept));
  }

  /**
   * Waits for the end of a call unless that is done already, and for a moment for an answer that may be there. Throws
   * `not_available`.
   */
  async look(id: string, call: HandleCall): Promise<KeptCall> {
    stagedToolOf(call, this.#options.tools);
    const known = this.#calls.get(id);
    const kept = known ?? new KeptCall();
    if (known === undefined) this.follow(id, call, kept);
    if (kept.end === null && (known === undefined || kept.isBusy)) await atMost(ANSWER_MS, kept.finished);
    return kept;
  }

  /** Waits no longer for the end of a call, which has another one. */
  cancel(id: string): void {
    this.#calls.get(id)?.cancel();
  }

  /** Settles when nothing is waited for any more, once the server ends. */
  async settled(): Promise<void> {
    await Promise.all([...this.#calls.values()].map(({ finished }) => finished));
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
      if (end !== null) {
        log.error("the end of a call could not be written down", { handle: id, error });
        // Only this server knows the end then.
        return kept.noteEnd(end);
      }
      // The next look begins anew.
      this.#calls.delete(id);
      if (signal.aborted) return;
      log.error("the end of a call cannot be told for a reason of our own", { handle: id, error });
      kept.noteFault(error);
    }
  }

  /** Waits for how a call ends. Throws what is no end of it: faults of this server, while its agents may well work on. */
  async #endOf(
    record: HandleCall,
    { call, kept }: { readonly call: ToolCall; readonly kept: KeptCall },
  ): Promise<HandleEnd> {
    const { tools, services, now } = this.#options;
    const tool = stagedToolOf(record, tools);
    try {
      const result = callResult(await tool.stages.finish(record.kept, call, services));
      return { status: "completed", endedAt: now(), result, told: kept.told };
    } catch (error) {
      if (error instanceof ProtocolError) {
        const { code, message } = error;
        return { status: "failed", endedAt: now(), error: { code, message } };
      }
      if (!(error instanceof TaskError)) throw error;
      return { status: "completed", endedAt: now(), result: refusedCall(error, { tool, call }), told: kept.told };
    }
  }
}
