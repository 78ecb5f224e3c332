import assert from "node:assert/strict";
import { checkAnswer } from "../../src/supervisor/check_answer.ts";
import { checkRequest } from "../../src/supervisor/check_request.ts";
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
  for (
    const pattern of [
      "^(a+)+$",
      "(x|xx)*y",
      "a*a*a*b",
      "(a)\\1",
      "(?:a?){30}a{30}",
      "a?".repeat(30),
      "(a|b)".repeat(30),
    ]
  ) {
    const { schema, unchecked } = checkableSchema(withPattern(pattern), 100);
    assert.deepEqual(unchecked, ["/properties/a/pattern"], pattern);
    assert.deepEqual(schema, { type: "object", properties: { a: { type: "string" } } });
  }
  const { schema, unchecked } = checkableSchema({ patternProperties: { "(a+)+": {}, "^b$": { type: "null" } } }, 100);
  assert.deepEqual(schema, { patternProperties: { "^b$": { type: "null" } } });
  assert.deepEqual(unchecked, ["/patternProperties/(a+)+"]);
  assert.deepEqual(checkableSchema(withPattern("^a+$"), 1_000_000).unchecked, ["/properties/a/pattern"]);
});

Deno.test("checkableSchema() compares items only in a short answer", () => {
  const schema = { properties: { a: { type: "array", uniqueItems: true } } };
  assert.deepEqual(checkableSchema(schema, 20_000), { schema, unchecked: [] });
  assert.deepEqual(checkableSchema(schema, 20_001), {
    schema: { properties: { a: { type: "array" } } },
    unchecked: ["/properties/a/uniqueItems"],
  });
});

Deno.test("checkableSchema() does not take a property called as a keyword for one", () => {
  const schema = { properties: { pattern: { type: "string" }, uniqueItems: true } };
  assert.deepEqual(checkableSchema(schema, 100_000), { schema, unchecked: [] });
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

const NODE = { type: "object", properties: { child: { $ref: "#" } } };

function nested(depth: number): string {
  return `${'{"child":'.repeat(depth)}{}${"}".repeat(depth)}`;
}

Deno.test("checkAnswer() holds an answer against a recursive schema", () => {
  assert.deepEqual(checkAnswer(nested(500), NODE), { valid: true, errors: [] });
  assert.deepEqual(checkAnswer('{"child":{"child":5}}', NODE), {
    valid: false,
    errors: ["data/child/child must be object"],
  });
  const tree = {
    $ref: "#/$defs/node",
    $defs: {
      node: {
        type: "object",
        properties: { kind: { enum: ["leaf", "fork"] }, parts: { type: "array", items: { $ref: "#/$defs/node" } } },
        required: ["kind", "parts"],
        additionalProperties: false,
      },
    },
  };
  const grown = (depth: number): unknown => ({
    kind: depth === 0 ? "leaf" : "fork",
    parts: depth === 0 ? [] : [grown(depth - 1), grown(depth - 1)],
  });
  assert.deepEqual(checkAnswer(JSON.stringify(grown(9)), tree), { valid: true, errors: [] });
});

Deno.test("checkAnswer() holds a long answer against its schema", () => {
  const answer = Array.from({ length: 15_000 }, (_, id) => ({ id, name: `n${id}`, tags: ["a"] }));
  const schema = {
    type: "array",
    items: {
      type: "object",
      properties: { id: { type: "integer" }, name: { type: "string" }, tags: { items: { type: "string" } } },
      required: ["id", "name", "tags"],
      additionalProperties: false,
    },
  };
  assert.deepEqual(checkAnswer(JSON.stringify(answer), schema), { valid: true, errors: [] });
});

/** `d40` costs 2 to the power of 40. */
const DOUBLING = Object.fromEntries(Array.from({ length: 41 }, (_, index) => {
  const before = { $ref: `#/definitions/d${index - 1}` };
  return [`d${index}`, index === 0 ? { type: "object" } : { allOf: [before, before] }];
}));
const MANY = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`p${index}`, { type: "string" }]));
const TOO_LONG = "it would take too long";

for (
  const { name, answer = "{}", schema, reason, place } of [
    {
      name: "a schema that refers to itself at once",
      schema: { $ref: "#" },
      reason: "it is nested too deep",
      place: /^$/,
    },
    {
      name: "references that double",
      schema: { definitions: DOUBLING, $ref: "#/definitions/d40" },
      reason: TOO_LONG,
      place: /^\/definitions\/d\d+/,
    },
    {
      name: "an answer nested too deep",
      answer: nested(20_000),
      schema: NODE,
      reason: "it is nested too deep",
      place: /./,
    },
    {
      name: "alternatives that multiply",
      answer: nested(30),
      schema: { anyOf: [0, 1].map((n) => ({ required: [`p${n}`], properties: { child: { $ref: "#" } } })) },
      reason: TOO_LONG,
      place: /./,
    },
    {
      name: "many missing names at many places",
      answer: JSON.stringify(Array(1_000).fill({})),
      schema: { items: { required: Array(600).fill("") } },
      reason: TOO_LONG,
      place: /^\/items$/,
    },
    {
      name: "a pattern on a long text",
      answer: JSON.stringify("a".repeat(5_000)),
      schema: { pattern: "a*a*b" },
      reason: TOO_LONG,
      place: /^$/,
    },
    {
      name: "a format on a long text",
      answer: JSON.stringify(`http://${":".repeat(20_000)}`),
      schema: { format: "url" },
      reason: TOO_LONG,
      place: /^$/,
    },
    {
      name: "names that a pattern is looked for in",
      answer: JSON.stringify({ ["a".repeat(5_000)]: 1 }),
      schema: { patternProperties: { "a*a*b": {} } },
      reason: TOO_LONG,
      place: /^\/patternProperties\/a\*a\*b$/,
    },
    {
      name: "many lists whose items are compared",
      answer: JSON.stringify(Array(1_000).fill(0).map((_, n) => ({ n }))),
      schema: { allOf: Array(100).fill({ uniqueItems: true }) },
      reason: TOO_LONG,
      place: /^\/allOf\/\d+$/,
    },
    {
      name: "a schema that is copied to many references",
      schema: {
        $defs: { many: { properties: MANY } },
        properties: Object.fromEntries(Object.keys(MANY).map((key) => [key, { $ref: "#/$defs/many" }])),
      },
      reason: "the schema is too large",
      place: /^$/,
    },
    { name: "a reference to another name", schema: { $ref: "#a" }, reason: "$ref is not followed", place: /^\/\$ref$/ },
    {
      name: "a dynamic reference",
      schema: { $dynamicAnchor: "a", allOf: [{ $dynamicRef: "#a" }] },
      reason: "$dynamicRef is not followed",
      place: /^\/allOf\/0\/\$dynamicRef$/,
    },
    {
      name: "a schema with a name of its own",
      schema: { allOf: [{ $id: "b", $ref: "#" }] },
      reason: "$id is not followed",
      place: /^\/allOf\/0\/\$id$/,
    },
    {
      name: "a schema that would be checked later",
      schema: { $async: true, type: "string" },
      reason: "$async is not followed",
      place: /^\/\$async$/,
    },
    {
      name: "a reference that cannot be read",
      schema: { $ref: "#/%zz" },
      reason: "URI malformed",
      place: /^$/,
    },
  ] satisfies readonly {
    readonly name: string;
    readonly answer?: string;
    readonly schema: Record<string, unknown>;
    readonly reason: string;
    readonly place: RegExp;
  }[]
) {
  Deno.test(`checkAnswer() does not check ${name}, and says where`, () => {
    const { valid, errors, unchecked = [] } = checkAnswer(answer, schema);
    assert.deepEqual([valid, errors], [false, [`the answer could not be checked: ${reason}`]]);
    assert.equal(unchecked.length, 1);
    assert.match(unchecked[0] ?? "", place);
  });
}

Deno.test("checkRequest() compiles no schema that is too large", () => {
  const request = { prompt: "go", lifetime: "detached", callerThreadId: null } as const;
  const outputSchema = { type: "nope", properties: MANY };
  assert.throws(() => checkRequest({ ...request, outputSchema }), /Cannot use output-schema: type must be/);
  const many = Object.keys(MANY).map((key) => [key, { properties: MANY }]);
  checkRequest({ ...request, outputSchema: { ...outputSchema, $defs: Object.fromEntries(many) } });
});
