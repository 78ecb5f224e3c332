import * as z from "zod";
import type { StartRequest } from "../supervisor/start_request.ts";
import { TaskError } from "../task/errors.ts";
import { runOutput } from "./outputs.ts";
import { type KeyedInput, requestKey } from "./request_key.ts";
import { agentAnswer, awaitAgent, cancelAgents } from "./run_agent.ts";
import { awaitedLifetime, earlierAgent, keptAgent, keptOf, startClaimed } from "./start_agent.ts";
import { defineStagedTool, type StagedTool } from "./staged_tool.ts";
import { claimStart } from "./start_claim.ts";
import { awaitTold, beginTelling, begunTelling, cancelTelling, keptTelling } from "./tell_reply.ts";
import type { Begun, ToolCall, ToolServices } from "./tool.ts";

const threadId = z.string().describe("Thread to go on with");
const prompt = z.string().describe("What the agent shall do next");
const when = z.enum(["after", "now"]).optional().describe(
  "If its turn still runs: after it (default), or now, breaking it off",
);

const merge = z.string().optional().describe(
  "Branch to merge into its worktree first; conflicts are left in the files for it to resolve",
);

/** An agent that was started, or one that is told while it works. */
const keptReply = z.union([keptAgent, keptTelling]);
type KeptReply = z.output<typeof keptReply>;

const stages: Pick<StagedTool<z.ZodObject, typeof keptReply>, "kept" | "finish" | "cancel"> = {
  kept: keptReply,
  finish: async (kept, call, services) =>
    agentAnswer(
      await ("told" in kept ? awaitTold(kept, call, services) : awaitAgent(kept, call, services)),
      (answer) => answer,
    ),
  cancel: (kept, services) => "told" in kept ? cancelTelling(kept, services) : cancelAgents([kept.id], services),
};

export const codexReply = defineStagedTool({
  name: "codex_reply",
  title: "Continue a Codex thread",
  description: "Send a follow-up to a thread and wait for the answer. Sandbox, model and working directory stay as " +
    "they were. Cancelling the call stops the agent, but one told with when=now runs on.",
  toolset: "codex",
  effect: "agent",
  input: z.object({ threadId, prompt, when, merge, ...requestKey }),
  output: runOutput,
  begin: reply,
  ...stages,
});

/** The name and parameters of the removed `codex mcp-server`. */
export const codexReplyAlias = defineStagedTool({
  name: "codex-reply",
  title: "Continue a Codex thread (old name)",
  description: "Same as codex_reply, for clients of the former codex mcp-server.",
  toolset: "codex",
  effect: "agent",
  input: z.object({
    threadId: threadId.optional(),
    conversationId: z.string().optional().describe("Old name of threadId"),
    prompt,
    ...requestKey,
  }),
  hidden: Object.keys(requestKey),
  output: runOutput,
  ...stages,
  async begin(input, call, services): Promise<Begun<KeptReply>> {
    const { threadId, conversationId } = input;
    const id = threadId ?? conversationId;
    if (id === undefined) throw new TaskError("invalid_argument", "Cannot reply: threadId is missing.");
    if (conversationId !== undefined && conversationId !== id) {
      throw new TaskError(
        "invalid_argument",
        "Cannot reply: threadId and conversationId, its old name, name different threads. Give threadId alone.",
      );
    }
    const { prompt, "request-key": key } = input;
    return await reply({ threadId: id, prompt, "request-key": key }, call, services);
  },
});

async function reply(
  input: KeyedInput & {
    readonly threadId: string;
    readonly prompt: string;
    readonly when?: "after" | "now" | undefined;
    readonly merge?: string | undefined;
  },
  call: ToolCall,
  services: ToolServices,
): Promise<Begun<KeptReply>> {
  const { threadId, prompt, when, merge } = input;
  if (when === "now" && merge !== undefined) {
    throw new TaskError(
      "invalid_argument",
      "Cannot reply: nothing can be merged under a turn that runs. Leave when out.",
    );
  }
  const request: StartRequest = {
    threadId,
    prompt,
    callerThreadId: call.callerThreadId,
    lifetime: awaitedLifetime(call),
    ...(merge === undefined ? {} : { mergeFirst: merge }),
  };
  using claim = await claimStart({ tool: "codex_reply", input, directories: [] }, { call, services });
  const [earlier] = claim.earlier;
  const reply = { threadId, prompt, callerThreadId: call.callerThreadId, lifetime: request.lifetime };
  if (earlier !== null && earlier !== undefined && "told" in earlier) {
    return begunTelling({ ...earlier, isEarlier: true }, reply);
  }
  const agent = earlierAgent(claim);
  if (agent !== null) return { kept: keptOf(agent), taskIds: [agent.task.id] };
  if (when === "now") {
    const { spec: { afterTaskId: busy } } = await services.plan(request);
    // It may have ended meanwhile: then this is an ordinary reply.
    const telling = busy === undefined ? null : await beginTelling(busy, reply, { claim, call, services });
    if (telling !== null) return begunTelling(telling, reply);
  }
  const task = await startClaimed(request, claim, { call, services });
  return { kept: keptOf({ task }), taskIds: [task.id] };
}
