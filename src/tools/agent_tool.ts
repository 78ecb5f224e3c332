import type * as z from "zod";
import { TaskError } from "../task/errors.ts";
import { AgentError, errorAnswer, errorPayload } from "./agent_error.ts";
import { defineTool, type Tool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";

/** Makes a tool of codex-as-mcp: `prefer` is the one of ours for new work; whatever goes wrong is told in its form. */
export function defineAgentTool<Input extends z.ZodObject>(
  { prefer, ...tool }: Omit<Tool, "toolset" | "input" | "handle" | "refuse"> & {
    readonly prefer: string;
    readonly input: Input;
    readonly handle: (input: z.output<Input>, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  },
): Tool {
  return {
    ...defineTool({
      ...tool,
      toolset: "agents",
      description: `For codex-as-mcp users; new work: prefer ${prefer}. ${tool.description}`,
      async handle(input, call, services): Promise<ToolAnswer> {
        try {
          return compact(await tool.handle(input, call, services), call);
        } catch (error) {
          if (call.signal.aborted && error === call.signal.reason) throw error;
          if (!(error instanceof AgentError) && !(error instanceof TaskError)) {
            services.log.error("a call failed for a reason of our own", { tool: tool.name, error });
          }
          return errorAnswer(errorPayload(error));
        }
      },
    }),
    refuse: (error) => errorAnswer(errorPayload(error)),
  };
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
