import { ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server";
import { TaskError } from "../task/errors.ts";
import { cutInner } from "../tools/bounded_text.ts";
import type { Tool } from "../tools/tool.ts";
import { offeredPrompts } from "./prompts.ts";
import type { Prompt } from "./prompts/prompt.ts";

/** Longest name that is repeated, in characters. */
const MAX_NAME = 200;

/** Lists the prompts and lets clients get them. */
export function servePrompts(server: Server, { tools }: { readonly tools: readonly Tool[] }): void {
  const prompts = offeredPrompts(tools);
  server.setRequestHandler("prompts/list", () => ({
    prompts: prompts.map(({ name, title, description, arguments: list }) => ({
      name,
      title,
      description,
      arguments: list.map((argument) => ({ ...argument })),
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params }) => {
    const prompt = prompts.find(({ name }) => name === params.name);
    if (prompt === undefined) {
      const words = prompts.length === 0
        ? "there are none, since not all tools are offered that they need"
        : `the prompts are ${prompts.map(({ name }) => name).join(", ")}`;
      throw invalid(`Unknown prompt "${cutInner(params.name, MAX_NAME)}": ${words}.`);
    }
    const text = write(prompt, params.arguments ?? {});
    return { description: prompt.description, messages: [{ role: "user", content: { type: "text", text } }] };
  });
}

function write(prompt: Prompt, given: Readonly<Record<string, string>>): string {
  const names = prompt.arguments.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `Unknown argument "${cutInner(unknown, MAX_NAME)}" of ${prompt.name}: expected ${names.join(", ")}. Remove it.`,
    );
  }
  for (const { name, description, required } of prompt.arguments) {
    if (required && (given[name] ?? "").trim() === "") {
      throw invalid(`Cannot write ${prompt.name}: ${name} is missing. Give it: ${description}.`);
    }
  }
  try {
    return prompt.write(given);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    throw invalid(error.message);
  }
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
