import type { Log } from "../log.ts";
import type { HandleCall, HandleFiles } from "../storage/handle_files.ts";
import { forEachOf } from "../supervisor/for_each_of.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import type { Tool, ToolServices } from "../tools/tool.ts";
import { stagedToolOf } from "./staged_tool_of.ts";

/** How often calls are looked for whose server was killed before it had stopped their agents. */
const LOOK_EVERY_MS = 15_000;

export interface CancelledCallsOptions {
  readonly files: HandleFiles;
  /** All that there are: other servers may offer others than this one. */
  readonly tools: readonly Tool[];
  readonly services: ToolServices;
  /** Aborted when the server ends: nothing is stopped any more then. */
  readonly ending: AbortSignal;
  readonly log: Log;
}

/**
 * Stops what cancelled calls have started. That a call was cancelled is on disk before, so a server may be killed in
 * between: any other one goes on with it.
 */
export class CancelledCalls {
  readonly #options: CancelledCallsOptions;
  /** Those of which nothing is to be stopped any more. */
  readonly #settled = new Set<string>();
  /** Those that could not be stopped, which was told. */
  readonly #failed = new Set<string>();
  readonly #stops = new Map<string, Promise<void>>();
  #round: Promise<void> = Promise.resolve();

  constructor(options: CancelledCallsOptions) {
    this.#options = options;
  }

  /** Carries out what other servers have left, now and from then on until the server ends. */
  open(): void {
    const { ending } = this.#options;
    this.#round = this.#look();
    const timer = setInterval(() => this.#round = this.#round.then(() => this.#look()), LOOK_EVERY_MS);
    ending.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** Stops what a cancelled call has started. Throws when something cannot be stopped. */
  async stop(id: string, call: HandleCall): Promise<void> {
    const { tools, services } = this.#options;
    const { stages } = stagedToolOf(call, tools);
    await this.#once(id, () => stages.cancel(call.kept, services));
  }

  /** The same of a call that may have been stopped long ago; never rejects. */
  async carryOut(id: string, call: HandleCall): Promise<void> {
    const { files, tools, services, log } = this.#options;
    if (this.#settled.has(id)) return;
    try {
      if (!await files.isWritable()) return;
      const { stages } = stagedToolOf(call, tools);
      await this.#once(id, async () => {
        if (await this.#hasOpenTask(call)) await stages.cancel(call.kept, services);
      });
    } catch (error) {
      // It is tried again and again.
      const level = this.#failed.has(id) ? "debug" : "error";
      this.#failed.add(id);
      log[level]("the agents of a cancelled call could not be stopped", { handle: id, error });
    }
  }

  /** Settles when nothing is stopped any more, once the server ends. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#round, ...this.#stops.values()]);
  }

  /** Two at once do the same. */
  async #once(id: string, stop: () => Promise<void>): Promise<void> {
    const stopping = this.#stops.get(id) ?? stop().finally(() => this.#stops.delete(id));
    this.#stops.set(id, stopping);
    await stopping;
    this.#settled.add(id);
  }

  async #hasOpenTask({ taskIds }: HandleCall): Promise<boolean> {
    const { supervisor } = this.#options.services;
    for (const id of taskIds) {
      try {
        if (!isFinished((await supervisor.view(id)).task)) return true;
      } catch (error) {
        // What was removed meanwhile had ended.
        if (!(error instanceof TaskError && error.code === "unknown_task")) throw error;
      }
    }
    return false;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { files, ending, log } = this.#options;
    try {
      const ids = await files.ids();
      // What is removed is remembered no longer.
      for (const id of this.#settled.difference(new Set(ids))) this.#settled.delete(id);
      await forEachOf(ids.filter((id) => !this.#settled.has(id)), async (id) => {
        if (!ending.aborted) await this.#lookAt(id);
      });
    } catch (error) {
      log.error("cancelled calls could not be looked for", { error });
    }
  }

  /** One that cannot be read keeps nobody from the others; who asks for it is told why. */
  async #lookAt(id: string): Promise<void> {
    const { files } = this.#options;
    const end = await files.readEnd(id).catch(() => null);
    if (end === null) return;
    const call = end.status === "cancelled" ? await files.read(id).catch(() => null) : null;
    if (call !== null) await this.carryOut(id, call);
    else if (end.status !== "cancelled") this.#settled.add(id);
  }
}
