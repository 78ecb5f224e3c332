import assert from "node:assert/strict";
import { z } from "zod";
import { isGiven, readInput } from "../../src/server/tool_input.ts";
import { TaskError } from "../../src/task/errors.ts";

const TOOL = {
  name: "paint",
  input: z.object({
    "wall-color": z.string(),
    taskIds: z.array(z.string()).optional(),
    max_coats: z.number().positive().optional(),
    timeout: z.number().nullable().optional(),
    mode: z.enum(["fast", "slow"]).optional(),
  }),
};

Deno.test("readInput() takes kebab, snake and camel case of a parameter for one", () => {
  for (
    const given of [
      { "wall-color": "red", taskIds: ["a"], max_coats: 2 },
      { wall_color: "red", task_ids: ["a"], maxCoats: 2 },
      { wallColor: "red", "task-ids": ["a"], "max-coats": 2 },
    ]
  ) {
    assert.deepEqual(readInput(TOOL, given), { "wall-color": "red", taskIds: ["a"], max_coats: 2 });
  }
});

Deno.test("readInput() takes null for an optional parameter as if it were left out", () => {
  assert.deepEqual(readInput(TOOL, { "wall-color": "red", taskIds: null, max_coats: null, mode: null }), {
    "wall-color": "red",
  });
});

Deno.test("readInput() keeps a null that means something of its own", () => {
  assert.deepEqual(readInput(TOOL, { "wall-color": "red", timeout: null }), { "wall-color": "red", timeout: null });
});

const REFUSALS: readonly { readonly given: unknown; readonly message: RegExp }[] = [
  { given: undefined, message: /^Cannot call paint: wall-color: .*expected string.*Correct it and try again\.$/ },
  { given: null, message: /^Cannot call paint: wall-color: / },
  { given: { "wall-color": null }, message: /^Cannot call paint: wall-color: .*expected string, received null/ },
  { given: [], message: /^Cannot call paint: the arguments must be an object\.$/ },
  { given: "red", message: /^Cannot call paint: the arguments must be an object\.$/ },
  { given: { "wall-color": "red", max_coats: "2" }, message: /: max_coats: .*expected number, received string/ },
  { given: { "wall-color": 1, taskIds: [1] }, message: /: wall-color: .*; taskIds\.0: / },
  { given: { "wall-color": "red", mode: "lazy" }, message: /: mode: .*"fast"\|"slow"/ },
  {
    given: { "wall-color": "red", colour: 1, brush: 2 },
    message:
      /^Unknown parameter "colour", "brush" for paint: expected wall-color, taskIds, max_coats, timeout, mode\. Remove it and try again\.$/,
  },
  {
    given: { "wall-color": "red", wallColor: "blue" },
    message: /^Cannot call paint: wall-color is given twice, as wallColor too\.$/,
  },
];

Deno.test("readInput() refuses what is wrong and names it", () => {
  for (const { given, message } of REFUSALS) {
    assert.throws(() => readInput(TOOL, given), (error: unknown) => {
      assert.ok(error instanceof TaskError);
      assert.equal(error.code, "invalid_argument");
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("isGiven() knows a parameter however it is spelled, and one that is null for left out", () => {
  for (const given of [{ "request-key": "a" }, { requestKey: "a", prompt: "x" }, { request_key: "" }]) {
    assert.equal(isGiven("request-key", given), true, JSON.stringify(given));
  }
  for (const given of [{ requestKey: null }, { key: "a" }, {}, undefined, null, ["request-key"]]) {
    assert.equal(isGiven("request-key", given), false, JSON.stringify(given));
  }
});
