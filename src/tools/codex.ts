import * as z from "zod";
import { threadIdOf } from "./task_facts.ts";
import { agentAnswer, awaitAgent, cancelAgents } from "./run_agent.ts";
import { awaitedLifetime, type KeptAgent, keptAgent, keptOf, startAgent } from "./start_agent.ts";
import { runParameters, startDirectories, startRequest } from "./run_parameters.ts";
import { runOutput } from "./outputs.ts";
import { defineStagedTool } from "./staged_tool.ts";
import type { Begun, ToolAnswer } from "./tool.ts";
import { worktreeFooter } from "./worktree_words.ts";

export const codex = defineStagedTool({
  name: "codex",
  title: "Run a Codex agent",
  description: "Run one Codex agent and wait for its answer. For long or parallel work use codex_async, then " +
    "codex_wait. Cancelling the call stops the agent. Go on with codex_reply(threadId).",
  toolset: "codex",
  effect: "agent",
  input: z.object(runParameters),
  output: runOutput,
  kept: keptAgent,
  async begin(input, call, services): Promise<Begun<KeptAgent>> {
    const request = startRequest(input, call, awaitedLifetime(call));
    const directories = startDirectories(input, services);
    const agent = await startAgent(request, { tool: "codex", input, directories }, { call, services });
    return { kept: keptOf(agent), taskIds: [agent.task.id] };
  },
  async finish(kept, call, services): Promise<ToolAnswer> {
    const run = await awaitAgent(kept, call, services);
    const threadId = threadIdOf(run.view);
    if (threadId === null) return agentAnswer(run, (answer) => answer);
    return agentAnswer(
      run,
      (answer) =>
        `${answer}\n\n---\nThread ID: ${threadId}\n` +
        `Use codex_reply(threadId="${threadId}", prompt="...") to continue this session.${
          worktreeFooter(run.view.task)
        }`,
    );
  },
  cancel: ({ id }, services) => cancelAgents([id], services),
});
