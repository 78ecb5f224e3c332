/** Speaks a step as the server-sent events of the Responses API. */
import { setTimeout as delay } from "node:timers/promises";
import type { OutputItem } from "./output_items.ts";
import type { Step } from "./step.ts";

/** What {@linkcode eventStream} needs beside the step. */
export interface EventStreamOptions {
  readonly id: string;
  readonly model: string;
  readonly items: readonly OutputItem[];
  /** Whether the step's faults apply to this attempt. */
  readonly isFaulty: boolean;
  /** Ends every wait. */
  readonly signal: AbortSignal;
  /** Rejects when a hanging response is to be broken off. */
  readonly released: () => Promise<never>;
}

/** Yields the events of one response; throws where the step breaks the connection. */
export async function* eventStream(step: Step, options: EventStreamOptions): AsyncGenerator<string, void> {
  const { items, isFaulty, signal } = options;
  const response = {
    id: options.id,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: options.model,
    status: "in_progress",
    output: [],
  };
  let sent = 0;
  const event = (type: string, data: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sent++, ...data })}\n\n`;

  yield event("response.created", { response });
  if (isFaulty && step.hang === "body") await options.released();
  if (isFaulty && step.fail !== undefined) {
    return yield event("response.failed", { response: { ...response, status: "failed", error: step.fail } });
  }
  for (const [output_index, item] of items.entries()) {
    const place = { item_id: item.id, output_index };
    yield event("response.output_item.added", { output_index, item: begun(item) });
    if (item.type === "message") {
      const text = item.content.map((part) => part.text).join("");
      const part = { type: "output_text", text: "", annotations: [] };
      yield event("response.content_part.added", { ...place, content_index: 0, part });
      for (let start = 0; start < text.length; start += step.chunkLength) {
        const delta = text.slice(start, start + step.chunkLength);
        yield event("response.output_text.delta", { ...place, content_index: 0, delta });
        if (step.chunkMs !== undefined) await delay(step.chunkMs, undefined, { signal });
      }
      if (isFaulty && step.cut) throw new Error("Cut off by the step");
      yield event("response.output_text.done", { ...place, content_index: 0, text });
    }
    if (item.type === "reasoning") {
      const text = item.summary.map((part) => part.text).join("");
      const part = { type: "summary_text", text: "" };
      yield event("response.reasoning_summary_part.added", { ...place, summary_index: 0, part });
      yield event("response.reasoning_summary_text.delta", { ...place, summary_index: 0, delta: text });
      yield event("response.reasoning_summary_text.done", { ...place, summary_index: 0, text });
    }
    yield event("response.output_item.done", { output_index, item });
  }
  if (step.holdMs !== undefined) await delay(step.holdMs, undefined, { signal });
  if (isFaulty && step.cut) throw new Error("Cut off by the step");
  if (isFaulty && step.end) return;
  const ended = { ...response, output: items, usage: usageOf(step) };
  if (isFaulty && step.incomplete !== undefined) {
    const incomplete_details = { reason: step.incomplete };
    yield event("response.incomplete", { response: { ...ended, status: "incomplete", incomplete_details } });
  } else yield event("response.completed", { response: { ...ended, status: "completed" } });
}

/** An item as it is announced, before its content has arrived. */
function begun(item: OutputItem): object {
  switch (item.type) {
    case "message":
      return { ...item, status: "in_progress", content: [] };
    case "reasoning":
      return { ...item, summary: [] };
    case "compaction":
      return item;
    case "function_call":
      return { ...item, status: "in_progress", arguments: "" };
    case "custom_tool_call":
    case "web_search_call":
      return { ...item, status: "in_progress" };
  }
}

function usageOf(step: Step): object {
  const { input, cached, output, reasoning } = step.usage ?? { input: 100, cached: 0, output: 10, reasoning: 0 };
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
