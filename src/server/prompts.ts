/** What a person can have a client's model do with our tools, in the words of the model's instructions. */
import type { Tool } from "../tools/tool.ts";
import { fanOut } from "./prompts/fan_out.ts";
import type { Prompt } from "./prompts/prompt.ts";
import { reviewAndMerge } from "./prompts/review_and_merge.ts";

const PROMPTS: readonly Prompt[] = [fanOut, reviewAndMerge];

/** The prompts all of whose tools are offered. */
export function offeredPrompts(tools: readonly Pick<Tool, "name">[]): Prompt[] {
  const names = new Set(tools.map(({ name }) => name));
  return PROMPTS.filter((prompt) => prompt.tools.every((name) => names.has(name)));
}
