import type { Tool } from "./tool.ts";

/** Which tools a server offers; names that no tool has choose none. */
export interface ToolChoice {
  readonly toolsets: readonly string[];
  /** Single tools beside those of the toolsets. */
  readonly tools: readonly string[] | null;
  readonly exclude: readonly string[];
  /** Only those that do nothing but look. */
  readonly isReadOnly: boolean;
}

/** Gives the chosen tools, in their order. */
export function chooseTools(tools: readonly Tool[], choice: ToolChoice): Tool[] {
  return tools.filter(({ name, toolset, effect }) =>
    (choice.toolsets.includes(toolset) || choice.tools?.includes(name) === true) &&
    !choice.exclude.includes(name) &&
    (!choice.isReadOnly || effect === "read")
  );
}
