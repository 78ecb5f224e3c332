import type { TaskView } from "../supervisor/task_view.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { reportProgress } from "./progress_reports.ts";
import { labelOf, phaseOf, silenceOf } from "./task_facts.ts";
import type { ToolCall, ToolServices } from "./tool.ts";

/** The longest that a timer can take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a wait is for. */
export interface AskedWait {
  readonly until: "all" | "any";
  /** In milliseconds since 1970; `null` for never. */
  readonly ends_at: number | null;
}

/** How a wait went. */
export interface Waited {
  /** The time was over, or the server ends. */
  readonly isTimeOver: boolean;
  /** Why tasks could not be waited for, where this server is to blame. */
  readonly faults: readonly unknown[];
}

/**
 * Settles when all or any of the tasks have ended or cannot be waited for, when the time is over, also that of the
 * server, or when the call is cancelled.
 */
export async function waitForEnds(
  ids: readonly string[],
  { until, ends_at }: AskedWait,
  call: ToolCall,
  { supervisor, log }: ToolServices,
): Promise<Waited> {
  if (ids.length === 0) return { isTimeOver: false, faults: [] };
  const over = new AbortController();
  // The client bears only so much, unless it comes back for the answer.
  const leftMs = ends_at === null ? Infinity : Math.max(0, ends_at - Date.now());
  const timeoutMs = Math.min(leftMs, call.waitMs, MAX_TIMER_MS);
  const timer = setTimeout(() => over.abort(), timeoutMs);
  try {
    const signal = AbortSignal.any([call.signal, over.signal, call.ending]);
    const ended = new Set<string>();
    const faults: unknown[] = [];
    const ends = ids.map(async (id) => {
      try {
        await supervisor.ended(id, signal);
      } catch (error) {
        if (!signal.aborted && !(error instanceof TaskError)) {
          log.error("a task could not be waited for", { id, error });
          faults.push(error);
        }
        throw error;
      }
      ended.add(id);
    });
    await using _reports = reportProgress(call, async () => {
      // An ended task has nothing more to say here, and its answer may be long.
      const open = ids.filter((id) => !ended.has(id));
      // What cannot be looked at is told with the answer.
      const looks = await Promise.allSettled(open.map((id) => supervisor.view(id)));
      return describe(looks.flatMap((look) => look.status === "fulfilled" ? look.value : []), ids.length);
    });
    // One that cannot be waited for keeps nobody from waiting for the others.
    await (until === "all" ? Promise.allSettled(ends) : Promise.any(ends).catch(() => undefined));
    return { isTimeOver: over.signal.aborted || call.ending.aborted, faults };
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** `2/5 done; k3: cargo test`; all that are not among the views have ended. */
function describe(views: readonly TaskView[], total: number): string {
  const working = views.filter(({ task }) => !isFinished(task));
  const phases = working.slice(0, 3).map((view) => {
    const { currentCommand } = view.progress;
    const words = silenceOf(view) ?? currentCommand ?? phaseOf(view);
    return `${labelOf(view.task) ?? view.task.id}: ${words}`.slice(0, 100);
  });
  return [`${total - working.length}/${total} done`, ...phases].join("; ");
}
