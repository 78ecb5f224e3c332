/** What Codex reports while it works, in our own shape: one value per line of `codex exec --json`. */

/** Token counts as Codex gives them: cumulative over the whole thread, not over one run. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
}

export type ItemStatus = "in_progress" | "completed" | "failed" | "declined";

export interface PlanStep {
  readonly text: string;
  readonly completed: boolean;
}

export interface FileChange {
  /** Absolute path. */
  readonly path: string;
  readonly kind: "add" | "update" | "delete";
}

/** One item of a turn. Item ids restart at `item_0` in every Codex process. */
export type CodexItem =
  | { readonly kind: "agent_message"; readonly id: string; readonly text: string }
  | { readonly kind: "reasoning"; readonly id: string; readonly text: string }
  | {
    readonly kind: "command";
    readonly id: string;
    readonly command: string;
    /** Both streams together; Codex caps it at 1 MiB. Empty until the command has ended. */
    readonly output: string;
    readonly exitCode: number | null;
    readonly status: ItemStatus;
  }
  | {
    readonly kind: "file_change";
    readonly id: string;
    readonly changes: readonly FileChange[];
    readonly status: ItemStatus;
  }
  | {
    readonly kind: "mcp_tool_call";
    readonly id: string;
    readonly server: string;
    readonly tool: string;
    readonly error: string | null;
    readonly status: ItemStatus;
  }
  | {
    readonly kind: "sub_agent";
    readonly id: string;
    readonly tool: string;
    readonly threadIds: readonly string[];
    readonly status: ItemStatus;
  }
  | { readonly kind: "web_search"; readonly id: string; readonly query: string }
  | { readonly kind: "plan"; readonly id: string; readonly steps: readonly PlanStep[] }
  /** A warning of Codex's, never the end of the turn. */
  | { readonly kind: "warning"; readonly id: string; readonly message: string }
  /** An item type newer than this program. */
  | { readonly kind: "other"; readonly id: string; readonly name: string };

export type CodexEvent =
  /** Our own mark: what follows comes from the task's next run. */
  | { readonly type: "run_started"; readonly run: number }
  | { readonly type: "thread_started"; readonly threadId: string }
  | { readonly type: "turn_started" }
  | {
    readonly type: "item";
    readonly phase: "started" | "updated" | "completed";
    readonly item: CodexItem;
  }
  /** Codex's top-level `error`: mostly `Reconnecting... n/5`, never terminal by itself. */
  | { readonly type: "notice"; readonly message: string }
  | { readonly type: "turn_completed"; readonly usage: Usage | null }
  | { readonly type: "turn_failed"; readonly message: string }
  /** A well-formed line of a type newer than this program; kept and counted. */
  | { readonly type: "unknown"; readonly name: string }
  /** A line that is no JSON object; kept and counted, never fatal. */
  | { readonly type: "unreadable" };
