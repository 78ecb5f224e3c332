/** Tools that wait: their calls can be answered at once with a handle, too. */
import type * as z from "zod";
import {
  type Begun,
  defineTool,
  fitting,
  type Tool,
  type ToolAnswer,
  type ToolCall,
  type ToolServices,
  withShortErrors,
} from "./tool.ts";

/** A tool in two steps: `kept` is the schema of what lies between them. */
export interface StagedTool<Input extends z.ZodObject, Kept extends z.ZodType>
  extends Omit<Tool, "input" | "handle" | "stages"> {
  readonly input: Input;
  readonly kept: Kept;
  readonly begin: (
    input: z.output<Input>,
    call: ToolCall,
    services: ToolServices,
  ) => Promise<Begun<z.output<Kept>>>;
  readonly finish: (kept: z.output<Kept>, call: ToolCall, services: ToolServices) => Promise<ToolAnswer>;
  readonly cancel: (kept: z.output<Kept>, services: ToolServices) => Promise<void>;
}

/** Makes a tool of its two steps: a call that is not answered with a handle goes through both. */
export function defineStagedTool<Input extends z.ZodObject, Kept extends z.ZodType>(
  { kept: schema, begin, finish, cancel, ...tool }: StagedTool<Input, Kept>,
): Tool {
  return {
    ...defineTool({
      ...tool,
      async handle(input, call, services): Promise<ToolAnswer> {
        const begun = await begin(input, call, services);
        return "answer" in begun ? begun.answer : await finish(begun.kept, call, services);
      },
    }),
    stages: {
      begin: (input, call, services) => withShortErrors(() => begin(tool.input.parse(input), call, services)),
      finish: async (kept, call, services) =>
        fitting(
          await withShortErrors(() => finish(schema.parse(kept), call, services)),
          { tool: tool.name, call, services },
        ),
      cancel: (kept, services) => cancel(schema.parse(kept), services),
    },
  };
}
