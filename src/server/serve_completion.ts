import { type CompleteRequest, ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server";
import type { Tool } from "../tools/tool.ts";
import { offeredPrompts } from "./prompts.ts";
import type { ResourceTemplate } from "./resource_templates.ts";
import type { Resource } from "./resources.ts";
import { cutInner } from "../tools/bounded_text.ts";

/** Most values that the protocol lets an answer have. */
const MAX_VALUES = 100;
/** Tasks that are counted at most. */
const MAX_COUNTED = 1_000;
/** Longest name that is repeated, in characters. */
const MAX_NAME = 200;

/** Gives the ids of the newest tasks that begin so, newest first. */
export type CompleteIds = (options: { readonly prefix: string; readonly limit: number }) => Promise<readonly string[]>;

interface Completion {
  readonly values: string[];
  /** Absent where there are more than were counted. */
  readonly total?: number;
  readonly hasMore: boolean;
}

const NOTHING: Completion = { values: [], total: 0, hasMore: false };

interface CompletionOptions {
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly templates: readonly ResourceTemplate[];
  readonly completeIds: CompleteIds;
}

/** Completes the ids of tasks in templates of resources and in arguments of prompts. */
export function serveCompletion(server: Server, options: CompletionOptions): void {
  server.setRequestHandler("completion/complete", async ({ params: { ref, argument } }) => {
    const completion = ref.type === "ref/prompt"
      ? await completePrompt(ref.name, argument, options)
      : await completeTemplate(ref.uri, argument, options);
    return { completion: { ...completion } };
  });
}

type Argument = CompleteRequest["params"]["argument"];

async function completeTemplate(uri: string, argument: Argument, options: CompletionOptions): Promise<Completion> {
  if (options.resources.some((known) => known.uri === uri)) return NOTHING;
  const known = options.templates.map(({ uriTemplate }) => uriTemplate);
  if (!known.includes(uri)) throw unknown(`resource template "${cutInner(uri, MAX_NAME)}"`, known);
  return argument.name === "id" ? await completeId("", argument.value, options) : NOTHING;
}

async function completePrompt(name: string, argument: Argument, options: CompletionOptions): Promise<Completion> {
  const offered = offeredPrompts(options.tools);
  if (!offered.some((prompt) => prompt.name === name)) {
    throw unknown(`prompt "${cutInner(name, MAX_NAME)}"`, offered.map((prompt) => prompt.name));
  }
  if (argument.name !== "task_ids") return NOTHING;
  // The last one of a list is the one that is being typed.
  const [, before = "", last = ""] = /^(.*[,\s])?([^,\s]*)$/s.exec(argument.value) ?? [];
  return await completeId(before, last, options);
}

async function completeId(
  before: string,
  prefix: string,
  { completeIds }: Pick<CompletionOptions, "completeIds">,
): Promise<Completion> {
  const counted = await completeIds({ prefix, limit: MAX_COUNTED });
  const listed = new Set(before.split(/[,\s]+/));
  const ids = counted.filter((id) => !listed.has(id));
  return {
    values: ids.slice(0, MAX_VALUES).map((id) => `${before}${id}`),
    ...(counted.length < MAX_COUNTED ? { total: ids.length } : {}),
    hasMore: ids.length > MAX_VALUES,
  };
}

function unknown(what: string, known: readonly string[]): ProtocolError {
  const words = known.length === 0 ? "there are none" : `known ones are ${known.join(", ")}`;
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Cannot complete for ${what}: ${words}.`);
}
