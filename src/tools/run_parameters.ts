/** The parameters that `codex` and `codex_async` share, and what they become. */
import { resolve } from "node:path";
import * as z from "zod";
import type { StartRequest } from "../supervisor/start_request.ts";
import { defined } from "../task/defined.ts";
import { type Lifetime, SANDBOX_MODES } from "../task/spec.ts";
import { requestKey } from "./request_key.ts";
import type { ToolCall, ToolServices } from "./tool.ts";
import { worktreeParameter, worktreeRequest } from "./worktree_parameter.ts";

/** Kebab-case as the removed `codex mcp-server` had it; other spellings are accepted too. */
export const runParameters = {
  prompt: z.string().describe("What the agent shall do"),
  threadId: z.string().optional().describe("Continue this thread"),
  cwd: z.string().optional().describe("Working directory; default the server's"),
  sandbox: z.enum(SANDBOX_MODES).optional().describe("Default: Codex's config, else read-only"),
  "approval-policy": z.enum(["untrusted", "on-failure", "on-request", "never"]).optional().describe(
    "Agents never ask: always never",
  ),
  model: z.string().optional().describe("Model name"),
  "reasoning-effort": z.string().optional().describe("low, medium, high, xhigh…"),
  profile: z.string().optional().describe("Codex config profile"),
  config: z.record(z.string(), z.unknown()).optional().describe("config.toml overrides"),
  worktree: worktreeParameter,
  "base-instructions": z.string().optional().describe("Replace Codex's instructions"),
  "developer-instructions": z.string().optional().describe("Added to them"),
  "compact-prompt": z.string().optional().describe("Prompt for compaction"),
  images: z.array(z.string()).optional().describe("Image file paths"),
  "output-schema": z.record(z.string(), z.unknown()).optional().describe("JSON Schema of the answer"),
  "add-dirs": z.array(z.string()).optional().describe("More writable directories"),
  network: z.boolean().optional().describe("Network in workspace-write; default as configured, else no"),
  "mcp-servers": z.array(z.string()).optional().describe("Keep only these MCP servers; [] none"),
  env: z.record(z.string(), z.string()).optional().describe("Environment variables; passes secrets too"),
  timeout: z.number().positive().optional().describe(
    "Seconds until stopped, per run; default 8 h or the server's --task-timeout",
  ),
  label: z.string().optional().describe("Name shown in lists"),
  ...requestKey,
};

const runInput = z.object(runParameters);

/** Where the agent starts, absolute; none where its thread says it. */
export function startDirectories(
  { cwd, threadId }: Pick<z.output<typeof runInput>, "cwd" | "threadId">,
  services: ToolServices,
): string[] {
  return cwd === undefined && threadId !== undefined ? [] : [resolve(services.cwd, cwd ?? ".")];
}

/** Turns the parameters into what the supervisor understands. */
export function startRequest(
  input: z.output<typeof runInput>,
  call: ToolCall,
  lifetime: Lifetime,
): StartRequest {
  return {
    ...defined({
      threadId: input.threadId,
      cwd: input.cwd,
      sandbox: input.sandbox,
      approvalPolicy: input["approval-policy"],
      model: input.model,
      reasoningEffort: input["reasoning-effort"],
      profile: input.profile,
      config: input.config,
      worktree: worktreeRequest(input.worktree),
      baseInstructions: input["base-instructions"],
      developerInstructions: input["developer-instructions"],
      compactPrompt: input["compact-prompt"],
      images: input.images,
      outputSchema: input["output-schema"],
      addDirs: input["add-dirs"],
      network: input.network,
      mcpServers: input["mcp-servers"],
      env: input.env,
      timeoutMs: input.timeout === undefined ? undefined : input.timeout * 1000,
      label: input.label,
    }),
    prompt: input.prompt,
    callerThreadId: call.callerThreadId,
    lifetime,
  };
}
