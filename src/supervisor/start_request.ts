import type { Lifetime, SandboxMode, Starter } from "../task/spec.ts";

/** How a worktree is to be made. */
export interface WorktreeRequest {
  /** `head` (default), `remote`, `wip`: HEAD with what is not committed, or any commit as git names it. */
  readonly base?: string;
  /** Of the branch, behind `codex-swarm/`. Default the task's id. */
  readonly name?: string;
  /** Shell command that makes it ready, outside every sandbox; a person must have approved it. */
  readonly setup?: string;
}

/** What a client asks for; absent means Codex's own setting, or on a resumed thread what it had. */
export interface StartRequest {
  readonly prompt: string;
  readonly lifetime: Lifetime;
  /** The Codex thread that makes the call, when there is one. */
  readonly callerThreadId: string | null;
  readonly threadId?: string;
  /** Relative to the server's. */
  readonly cwd?: string;
  readonly sandbox?: SandboxMode;
  readonly approvalPolicy?: string;
  readonly model?: string;
  readonly reasoningEffort?: string;
  readonly profile?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** A checkout of its own: of HEAD, or as is said. */
  readonly worktree?: boolean | WorktreeRequest;
  /** Branch that is merged into the thread's worktree first. */
  readonly mergeFirst?: string;
  readonly baseInstructions?: string;
  readonly developerInstructions?: string;
  readonly compactPrompt?: string;
  readonly images?: readonly string[];
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly addDirs?: readonly string[];
  readonly network?: boolean;
  readonly mcpServers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly label?: string;
  /** Works outside repositories too, whatever the server's own flag says. */
  readonly skipGitRepoCheck?: boolean;
  readonly startedBy?: Starter;
  /** Absolute path of the log that codex-as-mcp's tools promise. */
  readonly agentLog?: string;
}
