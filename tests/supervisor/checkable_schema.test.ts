import assert from "node:assert/strict";
import { checkAnswer } from "../../src/supervisor/check_answer.ts";
import { checkableSchema } from "../../src/supervisor/checkable_schema.ts";

const withPattern = (pattern: string): Record<string, unknown> => ({
  type: "object",
  properties: { a: { type: "string", pattern } },
});

Deno.test("checkableSchema() keeps patterns that take bounded time", () => {
  for (const pattern of ["^[a-z]+-\\d+$", "^(yes|no)$", "^\\(x\\)+", "[*+]{2}", "^a{1,3}$"]) {
    assert.deepEqual(checkableSchema(withPattern(pattern), 100), { schema: withPattern(pattern), unchecked: [] });
  }
});

Deno.test("checkableSchema() leaves out patterns that may take for ever, and names their places", () => {
  for (const pattern of ["^(a+)+$", "(x|xx)*y", "a*a*a*b", "(a)\\1", "(?:a?){30}a{30}"]) {
    const { schema, unchecked } = checkableSchema(withPattern(pattern), 100);
    assert.deepEqual(unchecked, ["/properties/a/pattern"], pattern);
    assert.deepEqual(schema, { type: "object", properties: { a: { type: "string" } } });
  }
  const { schema, unchecked } = checkableSchema({ patternProperties: { "(a+)+": {}, "^b$": { type: "null" } } }, 100);
  assert.deepEqual(schema, { patternProperties: { "^b$": { type: "null" } } });
  assert.deepEqual(unchecked, ["/patternProperties/(a+)+"]);
  assert.deepEqual(checkableSchema(withPattern("^a+$"), 1_000_000).unchecked, ["/properties/a/pattern"]);
});

Deno.test("checkableSchema() does not take a property called pattern for one", () => {
  const schema = { properties: { pattern: { type: "string" } } };
  assert.deepEqual(checkableSchema(schema, 100), { schema, unchecked: [] });
});

Deno.test("checkAnswer() comes to an end on a hostile schema and says what it did not check", () => {
  const answer = JSON.stringify({ a: `${"a".repeat(5_000)}!` });
  assert.deepEqual(checkAnswer(answer, withPattern("^(a+)+$")), {
    valid: true,
    errors: [],
    unchecked: ["/properties/a/pattern"],
  });
  assert.equal(checkAnswer(answer, withPattern("^a+$")).valid, false);
});

Deno.test("checkAnswer() does not take an answer of megabytes apart", () => {
  const { valid, errors } = checkAnswer(JSON.stringify("x".repeat(1_000_001)), { type: "string" });
  assert.deepEqual([valid, errors], [false, ["the answer is too long to be checked: 1000003 characters"]]);
});
