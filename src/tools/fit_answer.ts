/** The last check of every answer: whatever its parts were, it measures no more than the client passes on. */
import { cutBlock, cutInner } from "./bounded_text.ts";
import type { ToolAnswer } from "./tool.ts";

/** How much is kept of every text and of every list, step by step. */
const STEPS = [
  { text: 1_000, list: 100 },
  { text: 300, list: 30 },
  { text: 100, list: 10 },
  { text: 40, list: 3 },
  { text: 20, list: 1 },
] as const;
/** Without these nobody can go on with a task. A cursor is kept whole, since it means nothing otherwise. */
const IDENTIFIERS = [
  ...["task_id", "thread_id", "threadId", "status", "cursor", "next", "content", "tasks", "running"],
  ...["result", "error", "code", "kind", "message"],
];
/** Longest value of these while there is any room, in characters. */
const MAX_IDENTIFIER = 200;

/** Gives the answer itself when its text and its data both fit, otherwise one that does. */
export function fitAnswer(answer: ToolAnswer, maxLength: number): ToolAnswer {
  const { blocks, ...whole } = answer;
  const textLength = (blocks ?? [answer.text]).reduce((sum, { length }) => sum + length, 0);
  if (textLength <= maxLength && lengthOf(answer.structured) <= maxLength) return answer;
  return { ...whole, text: cutBlock(answer.text, maxLength), structured: fitData(answer.structured, maxLength) };
}

function fitData(data: ToolAnswer["structured"], maxLength: number): ToolAnswer["structured"] {
  if (lengthOf(data) <= maxLength) return data;
  for (const step of STEPS) {
    const shrunk = shrinkObject(data, step);
    if (lengthOf(shrunk) <= maxLength) return shrunk;
  }
  const needed = Object.fromEntries(Object.entries(data).filter(([name]) => IDENTIFIERS.includes(name)));
  const shrunk = shrinkObject(needed, { text: 20, list: 0 });
  if (lengthOf(shrunk) <= maxLength) return shrunk;
  // Only a cursor can still be this long; without it ends are told twice, which loses nothing.
  return { ...shrunk, cursor: "" };
}

type Step = { readonly text: number; readonly list: number };

function shrinkObject(data: object, step: Step): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, shrink(name, value, step)]));
}

function shrink(name: string, value: unknown, step: Step): unknown {
  if (typeof value === "string") {
    if (name === "cursor") return value;
    return cutInner(value, IDENTIFIERS.includes(name) ? Math.max(step.text, MAX_IDENTIFIER) : step.text);
  }
  if (Array.isArray(value)) return value.slice(0, step.list).map((item) => shrink(name, item, step));
  if (typeof value === "object" && value !== null) return shrinkObject(value, step);
  return value;
}

function lengthOf(data: object): number {
  return JSON.stringify(data).length;
}
