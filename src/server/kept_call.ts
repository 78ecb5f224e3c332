import type { HandleEnd } from "../storage/handle_files.ts";
import { reasonOf } from "../task/errors.ts";
import { cutInner } from "../tools/bounded_text.ts";
import type { Handle } from "../tools/tool.ts";

/** Longest reason that is told, in characters. */
const MAX_REASON = 300;

/** A call that was answered with a handle, while this server waits for its end. */
export class KeptCall implements Handle {
  readonly #cancelled = new AbortController();
  readonly #told = new Set<string>();
  #describe: (() => Promise<string>) | null = null;
  #end: HandleEnd | null = null;
  #fault: string | null = null;
  #finished: Promise<void> = Promise.resolve();

  follow(describe: (() => Promise<string>) | null): void {
    this.#describe = describe;
  }

  tell(taskIds: readonly string[]): void {
    for (const id of taskIds) this.#told.add(id);
  }

  /** The tasks whose results the answer holds. */
  get told(): string[] {
    return [...this.#told];
  }

  /** Says how far the work is; `null` while nothing can be said. */
  async describe(): Promise<string | null> {
    if (this.#fault !== null) return this.#fault;
    return await this.#describe?.().catch(() => null) ?? null;
  }

  /** Nothing is waited for: the answer is being made, or it is not clear yet what to wait for. */
  get isBusy(): boolean {
    return this.#describe === null;
  }

  /** Aborted when the client cancels what the handle stands for. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  cancel(): void {
    this.#cancelled.abort(new Error("the call was cancelled"));
  }

  /** The end that stands, once this server has seen it. */
  get end(): HandleEnd | null {
    return this.#end;
  }

  noteEnd(end: HandleEnd): void {
    this.#end = end;
  }

  /** Why this server waits no longer although nothing has ended: a fault of its own. */
  noteFault(error: unknown): void {
    this.#fault =
      `Cannot tell the end for now: ${cutInner(reasonOf(error), MAX_REASON)}. This is a fault of codex-swarm, ` +
      "whose log file says more; nothing was stopped. Whoever asks again has it tried anew";
  }

  /** Settles when this server waits no longer; never rejects. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  noteFinishing(finished: Promise<void>): void {
    this.#finished = finished;
  }
}
