import assert from "node:assert/strict";
import type { Answer } from "./swarm.ts";

/** Fails unless the answer's text and its data both keep within the budget. */
export function assertWithin({ text, structured }: Answer, budget: number): void {
  const dataLength = JSON.stringify(structured ?? {}).length;
  assert.ok(text.length <= budget, `a text of ${text.length}`);
  assert.ok(dataLength <= budget, `data of ${dataLength}`);
}
