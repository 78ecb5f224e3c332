/** What a tool is: a name, a promise to the model, two schemas and one short handler. */
import type * as z from "zod";
import type { Log } from "../log.ts";
import type { StartRequest } from "../supervisor/start_request.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { Work } from "../work/work.ts";
import type { RequestFiles } from "../storage/request_files.ts";
import type { PlannedTask } from "../supervisor/planned_task.ts";
import { TaskError } from "../task/errors.ts";
import { cutInner } from "./bounded_text.ts";
import { fitAnswer } from "./fit_answer.ts";
import type { SharedAnswers } from "./shared_answers.ts";

/** Longest words about a call that cannot be served, in characters: a caller's own may stand in them. */
const MAX_ERROR = 1_500;

/**
 * What a tool does to the world; all four MCP annotations follow from it.
 * `agent`: starts an agent, which may do whatever its sandbox lets it.
 */
export type ToolEffect = "read" | "destructive" | "agent";

export const TOOLSETS = ["codex", "agents"] as const;
/** `codex`: the tools named after it; `agents`: those of codex-as-mcp. */
export type Toolset = typeof TOOLSETS[number];

/**
 * Why nobody waits for a call's answer any more: `cancelled` by its client; `client_left`, which is no cancellation, since
 * the connection may only have broken; `server_ends`, as it does when the one client that it has leaves.
 */
export type Interruption = "cancelled" | "client_left" | "server_ends";

/** Who calls, and how to reach them while the call lasts. */
export interface ToolCall {
  /** Aborted when the client cancels the call or leaves. */
  readonly signal: AbortSignal;
  /** Aborted when the server is about to end: a wait then tells how things stand, while it can be heard. */
  readonly ending: AbortSignal;
  /** Tells why `signal` was aborted. */
  interruption(): Interruption;
  /** Longest answer that the client passes on whole to its model, in characters. */
  readonly answerChars: number;
  /** Longest time that the client surely waits for an answer. */
  readonly waitMs: number;
  /** The Codex thread that makes the call, when the client is Codex. */
  readonly callerThreadId: string | null;
  /**
   * The repository whose tasks lists show unless all is asked for: that of `cwd`, else the caller's; `null` where nobody
   * knows it, and all are shown. Throws `cwd_missing`.
   */
  readonly repository: (cwd?: string) => Promise<string | null>;
  /** Tells the client how far the work is; does nothing unless the client asked. */
  report(message: string): Promise<void>;
  /** The call is answered with it: what is started then outlives the server. `null`: with its answer. */
  readonly handle: Handle | null;
}

/** Stands for a call whose client comes back for the answer. */
export interface Handle {
  /** Is given what says how far the work is, in place of reports, and `null` when that is over. */
  follow(describe: (() => Promise<string>) | null): void;
  /** Is given the tasks whose results the answer holds: clients are given them when they come back. */
  tell(taskIds: readonly string[]): void;
}

/** What agents of codex-as-mcp's tools have unless the call says otherwise. */
export interface AgentDefaults {
  /** `null`: the server's. */
  readonly cwd: string | null;
  readonly logDir: string;
  readonly timeoutMs: number;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
}

/** What tools work with. */
export interface ToolServices {
  readonly supervisor: Pick<
    Supervisor,
    | "start"
    | "startAll"
    | "newId"
    | "find"
    | "countPrompts"
    | "findPrompt"
    | "view"
    | "list"
    | "ended"
    | "addPrompt"
    | "untilTold"
    | "removePrompt"
    | "stop"
    | "markRead"
  >;
  readonly work: Pick<Work, "diff" | "merge" | "find" | "forecast" | "restore" | "cleanup">;
  /** The calls that their callers have given names. */
  readonly requests: Pick<RequestFiles, "nameOf" | "lock" | "read" | "write" | "remove">;
  readonly plan: (request: StartRequest) => Promise<PlannedTask>;
  readonly minWaitMs: number;
  /** The server's working directory. */
  readonly cwd: string;
  readonly agents: AgentDefaults;
  /** Of lists, which many clients of one server may ask for at once. */
  readonly lists: SharedAnswers;
  readonly log: Log;
}

/** The same answer twice: as text for people and as data for models. */
export interface ToolAnswer {
  readonly text: string;
  /** The text in several parts, where a predecessor gave it so. */
  readonly blocks?: readonly string[];
  readonly structured: Readonly<Record<string, unknown>>;
  /** The call, or the one run it stood for, failed. */
  readonly isError?: boolean;
}

/** A call that has begun: what its end is found with, and the tasks it is about; or its answer where nothing is waited for. */
export type Begun<Kept> =
  | { readonly kept: Kept; readonly taskIds: readonly string[] }
  | { readonly answer: ToolAnswer };

/** A call in two steps, of which the second one may be another server's: what lies between them can be written down as JSON. */
export interface Stages {
  /** Checks the call and starts what it asks for; `input` has passed the input schema. */
  readonly begin: (input: unknown, call: ToolCall, services: ToolServices) => Promise<Begun<unknown>>;
  /** Waits for the answer; a cancelled call is treated as the tool says, one that is answered with a handle is only left. */
  readonly finish: (kept: unknown, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  /** Stops what the call has started. */
  readonly cancel: (kept: unknown, services: ToolServices) => Promise<void>;
}

/** A tool as the server sees it. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly toolset: Toolset;
  readonly effect: ToolEffect;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** Parameters that are accepted for the sake of old callers and shown to nobody. */
  readonly hidden?: readonly string[];
  /** Words a call whose arguments were refused, where a predecessor did so in a way of its own. */
  readonly refuse?: (error: TaskError) => ToolAnswer;
  /** `input` has passed the input schema. */
  readonly handle: (input: unknown, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  /** Of a tool that waits: the same in two steps. */
  readonly stages?: Stages;
}

/** Ties a handler to its input schema, and holds every answer to what the client passes on. */
export function defineTool<Input extends z.ZodObject>(
  tool: Omit<Tool, "input" | "handle"> & {
    readonly input: Input;
    readonly handle: (input: z.output<Input>, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  },
): Tool {
  return {
    ...tool,
    handle: async (input, call, services) =>
      fitting(
        await withShortErrors(() => tool.handle(tool.input.parse(input), call, services)),
        { tool: tool.name, call, services },
      ),
  };
}

/** The answer, or as much of it as the client passes on. */
export function fitting(
  answer: ToolAnswer,
  { tool, call, services }: { readonly tool: string; readonly call: ToolCall; readonly services: ToolServices },
): ToolAnswer {
  const fitting = fitAnswer(answer, call.answerChars);
  if (fitting !== answer) services.log.warning("an answer was longer than its parts may be", { tool });
  return fitting;
}

/** Does what a call asks for; why it cannot be served is told in bounded words. */
export async function withShortErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TaskError) || error.message.length <= MAX_ERROR) throw error;
    throw new TaskError(error.code, cutInner(error.message, MAX_ERROR), { cause: error });
  }
}
