import assert from "node:assert/strict";
import { fitAnswer } from "../../src/tools/fit_answer.ts";

Deno.test("fitAnswer() leaves an answer alone that fits", () => {
  const answer = { text: "a", structured: { task_id: "0123abcd" } };
  assert.equal(fitAnswer(answer, 100), answer);
});

Deno.test("fitAnswer() cuts whatever is too long, and keeps what a caller goes on with", () => {
  const long = '"'.repeat(50_000);
  const identifiers = { task_id: "0123abcd", thread_id: crypto.randomUUID(), status: "failed" };
  const shapes: readonly Readonly<Record<string, unknown>>[] = [
    { ...identifiers, message: long },
    { ...identifiers, lists: Array.from({ length: 500 }, () => [long, { long }]) },
    { ...identifiers, ...Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key${index}`, index])) },
    { ...identifiers, cursor: "01234567,".repeat(50), next: long, deep: { deeper: { deepest: [long] } } },
  ];
  for (const structured of shapes) {
    for (const maxLength of [10_000, 2_000]) {
      const answer = fitAnswer({ text: "t".repeat(20_000), structured, isError: true }, maxLength);
      assert.deepEqual([answer.text.length, answer.isError], [maxLength, true]);
      assert.ok(JSON.stringify(answer.structured).length <= maxLength);
      const { task_id, thread_id, status, cursor } = answer.structured;
      assert.deepEqual({ task_id, thread_id, status }, identifiers);
      assert.equal(cursor, structured["cursor"]);
    }
  }
  const { structured: { cursor } } = fitAnswer({ text: "", structured: { ...identifiers, cursor: long } }, 2_000);
  assert.equal(cursor, "");
});
