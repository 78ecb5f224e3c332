import assert from "node:assert/strict";
import { SharedAnswers } from "../../src/tools/shared_answers.ts";
import type { ToolAnswer } from "../../src/tools/tool.ts";

function answer(text: string): ToolAnswer {
  return { text, structured: {} };
}

Deno.test("SharedAnswers.get() finds out once for all who ask meanwhile, and nobody is told what was before", async () => {
  const shared = new SharedAnswers();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let begun = 0;
  const find = async (): Promise<ToolAnswer> => {
    const number = begun++;
    await gates[number]?.promise;
    return answer(String(number));
  };
  const first = shared.get("a", find);
  const late = [shared.get("a", find), shared.get("a", find)];
  assert.equal(begun, 1);
  gates[0]?.resolve();
  assert.equal((await first).text, "0");
  gates[1]?.resolve();
  assert.deepEqual((await Promise.all(late)).map(({ text }) => text), ["1", "1"]);
  assert.deepEqual([(await shared.get("a", find)).text, begun], ["2", 3]);
});

Deno.test("SharedAnswers.get() keeps those apart who ask for something else, and tries again after a failure", async () => {
  const shared = new SharedAnswers();
  const [one, two] = await Promise.all(["a", "b"].map((key) => shared.get(key, () => Promise.resolve(answer(key)))));
  assert.deepEqual([one?.text, two?.text], ["a", "b"]);
  const failing = shared.get("a", () => Promise.reject(new Error("no")));
  const waiting = shared.get("a", () => Promise.resolve(answer("yes")));
  await assert.rejects(failing, /no/);
  assert.equal((await waiting).text, "yes");
});
