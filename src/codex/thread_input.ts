/** Finds out from Codex's record of a thread what the agent has been told. */
import { isObject, type JsonObject, listAt, objectAt, parseObject, textAt } from "./json_object.ts";
import { linesFromEnd, type Source } from "./lines_from_end.ts";
import { withThread } from "./thread_file.ts";

/**
 * Tells whether what a run was given to read has become part of its thread, so that every later turn knows it; false where
 * there is no such thread. Codex 0.169 records it some time after it has said `turn.started`, and nothing of it when the
 * turn is broken off before.
 */
export async function isInThread(
  text: string,
  { since, ...thread }: {
    readonly codexHome: string;
    readonly threadId: string;
    /** Start of the run: an earlier one may have been given the same words. */
    readonly since: Date;
  },
): Promise<boolean> {
  return await withThread(thread, (record) => hasPrompt(record, { text: text.trim(), since })) ?? false;
}

async function hasPrompt(
  record: Source,
  { text, since }: { readonly text: string; readonly since: Date },
): Promise<boolean> {
  for await (const line of linesFromEnd(record)) {
    const entry = parseObject(line);
    if (entry === null) continue;
    if (Date.parse(textAt(entry, "timestamp") ?? "") < since.getTime()) return false;
    if (textAt(entry, "type") !== "response_item") continue;
    if (promptsOf(objectAt(entry, "payload")).some((prompt) => prompt.includes(text))) return true;
  }
  return false;
}

/** What a user's message says; images are parts of their own. */
function promptsOf(payload: JsonObject): string[] {
  if (textAt(payload, "type") !== "message" || textAt(payload, "role") !== "user") return [];
  return listAt(payload, "content").filter(isObject).flatMap((part) => textAt(part, "text") ?? []);
}
