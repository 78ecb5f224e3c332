import * as z from "zod";
import { threadIdOf } from "./task_facts.ts";
import { agentAnswer, awaitAgent, startAgent } from "./run_agent.ts";
import { runParameters, startRequest } from "./run_parameters.ts";
import { runOutput } from "./outputs.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";
import { worktreeFooter } from "./worktree_words.ts";

export const codex = defineTool({
  name: "codex",
  title: "Run a Codex agent",
  description: "Run one Codex agent and wait for its answer. For long or parallel work use codex_async, then " +
    "codex_wait. Cancelling the call stops the agent. Go on with codex_reply(threadId).",
  toolset: "codex",
  effect: "agent",
  input: z.object(runParameters),
  output: runOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const task = await startAgent(startRequest(input, call, "server-bound"), call, services);
    const run = await awaitAgent(task, call, services);
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
});
