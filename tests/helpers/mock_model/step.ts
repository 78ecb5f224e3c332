/** What the mocked model does in answer to one request: the language of the scripts that ride in prompts. */
import { z } from "zod";

const texts = z.union([z.string(), z.array(z.string())]);
const call = z.strictObject({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  namespace: z.string().optional(),
});

/** Describes one step; the parts that the model says or calls are emitted in the order of the fields. */
export const Step = z.strictObject({
  reason: z.string().optional().describe("the summary of a reasoning item"),
  say: texts.optional().describe("assistant messages"),
  repeat: z.int().positive().optional().describe("repeats each `say` up to this many characters"),
  plan: z.array(z.tuple([z.string(), z.string()])).optional().describe("an update_plan call: [step, status] each"),
  shell: texts.optional().describe("shell commands, by whichever shell tool the request offers"),
  shellArguments: z.record(z.string(), z.unknown()).optional().describe("merged into each shell call's arguments"),
  patch: z.string().optional().describe("an apply_patch call"),
  write: z.record(z.string(), z.string()).optional().describe("a patch that adds these files: path to text"),
  code: texts.optional().describe("JavaScript for the `exec` tool of code-mode models"),
  tool: z.union([call, z.array(call)]).optional().describe("any function calls"),
  find: z.string().optional().describe(
    "a pattern; what its first group finds in the outputs of tools, newest first, stands for {found} in this step",
  ),
  search: z.string().optional().describe("the query of a web_search_call item"),
  compaction: z.string().optional().describe("the summary of a compaction item, the answer to a compaction request"),
  usage: z.strictObject({
    input: z.int().default(100),
    cached: z.int().default(0),
    output: z.int().default(10),
    reasoning: z.int().default(0),
  }).optional().describe("tokens; 100 in and 10 out by default"),

  delayMs: z.number().optional().describe("waits before the response headers"),
  gather: z.int().optional().describe("waits until this many requests have been in flight at once"),
  chunkMs: z.number().optional().describe("waits after each text delta"),
  chunkLength: z.int().positive().default(64).describe("characters per text delta"),
  holdMs: z.number().optional().describe("waits between the last item and the end"),

  failTimes: z.int().optional().describe(
    "limits the faults below to the first attempts of each thread; absent: always",
  ),
  status: z.int().optional().describe("answers with this HTTP status"),
  error: z.record(z.string(), z.unknown()).optional().describe("merged into the error of `status`"),
  headers: z.record(z.string(), z.string()).optional().describe("added to the response"),
  usage_limit: z.strictObject({
    resets_at: z.int().optional().describe("seconds since 1970"),
    resets_in_seconds: z.int().optional(),
    plan_type: z.string().default("plus"),
  }).optional().describe("answers 429 as an account does whose quota is used up"),
  limit_account: z.strictObject({
    seconds: z.number(),
    headers: z.boolean().default(true),
  }).optional().describe("the account is limited for so long from the first attempt of each thread on, then goes on"),
  hang: z.enum(["headers", "body"]).optional().describe("never answers, or opens the stream and sends nothing"),
  cut: z.boolean().optional().describe("breaks the connection before the end"),
  end: z.boolean().optional().describe("ends the stream cleanly but without its final event"),
  fail: z.strictObject({ code: z.string(), message: z.string() }).optional().describe("a response.failed event"),
  incomplete: z.string().optional().describe("the reason of a response.incomplete event"),
});

/** One step with its defaults filled in. */
export type Step = z.infer<typeof Step>;

/** One step as a test writes it. */
export type StepInput = z.input<typeof Step>;

/** Parses a script: a step or a list of steps. Throws a `ZodError` that names the wrong field. */
export function parseSteps(value: unknown): Step[] {
  return z.array(Step).parse(Array.isArray(value) ? value : [value]);
}

/** Yields no, one or several values as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** Writes a script into a prompt; the inverse of what the mocked model reads out of it, which ends at the first `>>`. */
export function scripted(...steps: StepInput[]): string {
  return `<<mock ${JSON.stringify(steps).replaceAll(">", "\\u003e")}>>`;
}
