/** What Codex sends to the model, as far as the mock reads it. */
import { z } from "zod";

const OfferedTool = z.looseObject({ type: z.string(), name: z.string().optional() });
const Tool = OfferedTool.extend({ tools: z.array(OfferedTool).optional() });
const Content = z.looseObject({ text: z.string().nullish(), encrypted_content: z.string().nullish() });
const InputItem = z.looseObject({
  type: z.string().default("message"),
  role: z.string().nullish(),
  id: z.string().nullish(),
  call_id: z.string().nullish(),
  content: z.union([z.string(), z.array(Content)]).nullish(),
  encrypted_content: z.string().nullish(),
  output: z.unknown().optional(),
  tools: z.array(Tool).nullish(),
});

/** The body of a `POST /responses`; unknown fields are kept. */
export const ModelRequest = z.looseObject({
  model: z.string(),
  instructions: z.string().nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
  prompt_cache_key: z.string().nullish(),
  tools: z.array(Tool).nullish(),
  input: z.union([
    z.array(InputItem),
    z.string().transform((content) => [InputItem.parse({ role: "user", content })]),
  ]),
});

export type ModelRequest = z.infer<typeof ModelRequest>;
export type InputItem = z.infer<typeof InputItem>;

/** A tool that the request offers to the model. */
export interface Tool {
  /** `function`, `custom` for free text, or the name of a built-in tool. */
  readonly type: string;
  readonly namespace?: string;
}

/** Joins the text of a message, or yields that of a compaction. */
export function textOf(item: InputItem): string {
  if (item.type === "compaction") return item.encrypted_content ?? "";
  if (typeof item.content === "string") return item.content;
  return (item.content ?? []).map((part) => part.text ?? part.encrypted_content ?? "").join("\n");
}

/** Collects the offered tools by name; newer models get theirs in an `additional_tools` input item. */
export function offeredTools(request: ModelRequest): ReadonlyMap<string, Tool> {
  const found = new Map<string, Tool>();
  const groups = [
    request.tools,
    ...request.input.filter((item) => item.type === "additional_tools").map((i) => i.tools),
  ];
  for (const tool of groups.flatMap((group) => group ?? [])) {
    if (tool.type === "namespace") {
      for (const inner of tool.tools ?? []) add(inner, tool.name);
    } else add(tool);
  }
  return found;

  function add(tool: z.infer<typeof OfferedTool>, namespace?: string): void {
    const name = tool.name ?? tool.type;
    if (!found.has(name)) found.set(name, { type: tool.type, ...(namespace === undefined ? {} : { namespace }) });
  }
}
