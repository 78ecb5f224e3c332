/** Decides which sandbox a run has, who said so, and whether it reaches the network. */
import { type CodexConfigFacts, networkOf } from "../codex/config_layers.ts";
import type { ThreadFacts } from "../codex/thread_file.ts";
import type { EffectiveSandbox } from "../task/spec.ts";
import { type Limits, limitSandbox } from "./limits.ts";
import type { StartRequest } from "./start_request.ts";

/** `facts` know of the call's own settings and of its or the thread's `network`. Throws `beyond_limit`. */
export function effectiveSandbox(
  request: StartRequest,
  { facts, thread, limits }: {
    readonly facts: CodexConfigFacts;
    readonly thread: ThreadFacts | null;
    readonly limits: Limits;
  },
): EffectiveSandbox {
  const sandbox = limitSandbox(chosenSandbox(request, thread, facts), limits);
  return sandbox.source === "limit" ? { ...sandbox, network: networkOf(sandbox.mode, facts.networkAccess) } : sandbox;
}

function chosenSandbox(
  request: StartRequest,
  thread: ThreadFacts | null,
  facts: CodexConfigFacts,
): EffectiveSandbox {
  const named = (mode: EffectiveSandbox["mode"], source: EffectiveSandbox["source"]): EffectiveSandbox => ({
    mode,
    source,
    network: networkOf(mode, facts.networkAccess),
  });
  if (request.sandbox !== undefined) return named(request.sandbox, "call");
  if (request.config?.["sandbox_mode"] !== undefined) return facts.sandbox;
  if (thread !== null && thread.sandbox !== null) return named(thread.sandbox, "thread");
  // Whoever asks for a worktree wants something to be written there; only what the server was told ranks above that.
  const isInWorktree = request.worktree !== undefined && request.worktree !== false;
  if (isInWorktree && facts.sandbox.source !== "server config") return named("workspace-write", "worktree");
  return facts.sandbox;
}
