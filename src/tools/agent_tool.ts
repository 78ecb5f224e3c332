import type * as z from "zod";
import { TaskError } from "../task/errors.ts";
import { AgentError, errorAnswer, errorPayload } from "./agent_error.ts";
import { defineStagedTool, type StagedTool } from "./staged_tool.ts";
import { type Begun, defineTool, type Tool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";

/** Makes a tool of codex-as-mcp: `prefer` is the one of ours for new work; whatever goes wrong is told in its form. */
export function defineAgentTool<Input extends z.ZodObject>(
  tool: AgentPart & {
    readonly input: Input;
    readonly handle: (input: z.output<Input>, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  },
): Tool {
  return defineTool({
    ...tool,
    ...agentPart(tool),
    async handle(input, call, services): Promise<ToolAnswer> {
      try {
        return compact(await tool.handle(input, call, services), call);
      } catch (error) {
        return failedAnswer(error, { tool: tool.name, call, services });
      }
    },
  });
}

/** The same of one that waits. */
export function defineStagedAgentTool<Input extends z.ZodObject, Kept extends z.ZodType>(
  tool: AgentPart & Pick<StagedTool<Input, Kept>, "input" | "kept" | "begin" | "finish" | "cancel">,
): Tool {
  return defineStagedTool<Input, Kept>({
    ...tool,
    ...agentPart(tool),
    async begin(input, call, services): Promise<Begun<z.output<Kept>>> {
      try {
        const begun = await tool.begin(input, call, services);
        return "answer" in begun ? { answer: compact(begun.answer, call) } : begun;
      } catch (error) {
        return { answer: failedAnswer(error, { tool: tool.name, call, services }) };
      }
    },
    async finish(kept, call, services): Promise<ToolAnswer> {
      try {
        return compact(await tool.finish(kept, call, services), call);
      } catch (error) {
        // The agents may well work on: no end of a call whose client comes back for it.
        if (call.handle !== null && !isRefusal(error)) throw error;
        return failedAnswer(error, { tool: tool.name, call, services });
      }
    },
  });
}

/** What all tools of codex-as-mcp say of themselves. */
type AgentPart = Omit<Tool, "toolset" | "input" | "handle" | "stages" | "refuse"> & { readonly prefer: string };

function agentPart(
  { prefer, description }: AgentPart,
): Pick<Tool, "toolset" | "description"> & Required<Pick<Tool, "refuse">> {
  return {
    toolset: "agents",
    description: `For codex-as-mcp users; new work: prefer ${prefer}. ${description}`,
    refuse: (error) => errorAnswer(errorPayload(error)),
  };
}

/** Tells why a call failed; that nobody waits for it any more is thrown on. */
function failedAnswer(
  error: unknown,
  { tool, call, services }: { readonly tool: string; readonly call: ToolCall; readonly services: ToolServices },
): ToolAnswer {
  if (call.signal.aborted && error === call.signal.reason) throw error;
  if (!isRefusal(error)) services.log.error("a call failed for a reason of our own", { tool, error });
  return errorAnswer(errorPayload(error));
}

/** Tells whether the caller can act on it; anything else is a fault of ours. */
function isRefusal(error: unknown): boolean {
  return error instanceof AgentError || error instanceof TaskError;
}

/** An answer that is one JSON object: `data` as the predecessor gave it, `own` what we tell beside it in the data. */
export function jsonAnswer(
  data: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>> = {},
): ToolAnswer {
  return { text: JSON.stringify(data, null, 2), structured: { ...data, ...own } };
}

/** JSON goes without its indentation before anything of it is left out. */
function compact(answer: ToolAnswer, { answerChars }: ToolCall): ToolAnswer {
  // A result is an agent's own words, whatever they look like.
  if (answer.text.length <= answerChars || "result" in answer.structured) return answer;
  return { ...answer, text: JSON.stringify(JSON.parse(answer.text)) };
}
