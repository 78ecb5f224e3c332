import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Refusal } from "./refusal.ts";

/** Longest body of a request. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Deepest that JSON of a request may be nested: what walks through it calls itself for each level. */
const MAX_DEPTH = 200;

/** What was sent, or why it is not taken. */
export type Body = { readonly json: unknown } | { readonly refusal: Refusal; readonly code?: number };

const TOO_LARGE: Body = {
  refusal: { status: 413, message: `The body is larger than ${MAX_BODY_BYTES} bytes: put large texts into files.` },
};

/** Reads the JSON of a request's body. What is too large is not read on. */
export async function readBody(message: IncomingMessage): Promise<Body> {
  if (Number(message.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return TOO_LARGE;
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of message) {
      length += part.length;
      if (length > MAX_BODY_BYTES) return TOO_LARGE;
      parts.push(part);
    }
  } catch {
    return badJson("Parse error: the body broke off.");
  }
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(Buffer.concat(parts)));
    return isTooDeep(json) ? badJson(`Parse error: the body is nested deeper than ${MAX_DEPTH} levels.`) : { json };
  } catch {
    return badJson("Parse error: the body is not JSON.");
  }
}

function badJson(message: string): Body {
  return { refusal: { status: 400, message }, code: -32_700 };
}

function isTooDeep(json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((value) => typeof value === "object" && value !== null ? Object.values(value) : []);
  }
  return false;
}
