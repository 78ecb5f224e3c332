import type { PlannedTask } from "../supervisor/planned_task.ts";
import type { RequestEntry } from "../storage/request_files.ts";
import type { Task } from "../task/task.ts";
import type { NamedCall } from "./request_key.ts";
import { type EarlierStart, findStart, noting, type PlannedStart, type StartClaim } from "./start_claim.ts";
import type { ToolServices } from "./tool.ts";

/** A named call as its notes have it. */
interface ClaimedCall {
  /** What its files are named after. */
  readonly name: string;
  /** What it asks for, and the digest of that. */
  readonly input: NamedCall["asked"];
  readonly asked: string;
  readonly lock: Disposable;
}

/** A call with a name: what it is about to start is on disk before it is started. */
export class NamedClaim implements StartClaim {
  readonly earlier: readonly (EarlierStart | null)[];
  readonly #call: ClaimedCall;
  readonly #services: ToolServices;

  constructor(
    call: ClaimedCall,
    { earlier, services }: { readonly earlier: readonly (EarlierStart | null)[]; readonly services: ToolServices },
  ) {
    this.#call = call;
    this.earlier = earlier;
    this.#services = services;
  }

  async start(planned: PlannedTask): Promise<Task> {
    const { supervisor } = this.#services;
    const id = supervisor.newId();
    return await this.#noted([{ id }], () => supervisor.start(planned, { id }));
  }

  async tell<T>(id: string, otherwise: string, tell: () => Promise<T | null>): Promise<T | null> {
    const entries = [{ told: id, after: await this.#services.supervisor.countPrompts(id), otherwise }];
    const told = await this.#noted(entries, tell);
    if (told === null) await this.#forget(entries);
    return told;
  }

  async startAll(plans: readonly PlannedStart[], maxParallel: number): Promise<PromiseSettledResult<Task>[]> {
    const { supervisor } = this.#services;
    const planned: PlannedTask[] = [];
    const ids: string[] = [];
    const entries = plans.map((plan): RequestEntry => {
      if ("task" in plan) return { id: plan.task.id };
      if ("error" in plan) return { error: { ...plan.error } };
      const id = supervisor.newId();
      planned.push(plan.planned);
      ids.push(id);
      return { id };
    });
    if (planned.length === 0) return [];
    const earlier = plans.flatMap((plan) => "task" in plan ? [plan.task.id] : []);
    return await this.#noted(entries, async () => {
      const starts = await supervisor.startAll(planned, { maxParallel, ids, earlier });
      if (starts.every(({ status }) => status === "rejected")) await this.#forget(entries);
      return starts;
    });
  }

  [Symbol.dispose](): void {
    this.#call.lock[Symbol.dispose]();
  }

  async #noted<T>(entries: readonly RequestEntry[], work: () => Promise<T>): Promise<T> {
    const { name, asked } = this.#call;
    await noting(() => this.#services.requests.write(name, { asked, entries, createdAt: new Date() }));
    try {
      return await work();
    } catch (error) {
      await this.#forget(entries);
      throw error;
    }
  }

  /** A call that has started nothing leaves no trace. */
  async #forget(entries: readonly RequestEntry[]): Promise<void> {
    const { requests, log } = this.#services;
    try {
      const found = await Promise.all(
        entries.map((entry) => findStart(entry, { asked: this.#call.input }, this.#services)),
      );
      if (found.every((one) => one === null || "error" in one)) await requests.remove(this.#call.name);
    } catch (error) {
      // The next one of this name sees for itself that nothing was started.
      log.warning("a request-key could not be forgotten", { error });
    }
  }
}
