import assert from "node:assert/strict";
import { waitFor } from "./wait_for.ts";

Deno.test("waitFor() returns the first value that is there", async () => {
  const values = [undefined, null, false, 0];
  assert.equal(await waitFor(() => values.shift(), { message: "a value" }), 0);
});

Deno.test("waitFor() asks a condition again that throws", async () => {
  let asked = 0;
  const condition = (): string => {
    if (++asked < 3) throw new Error("not yet");
    return "there";
  };
  assert.equal(await waitFor(condition, { message: "it" }), "there");
});

Deno.test("waitFor() names what it waited for and the last error", async () => {
  const condition = (): never => {
    throw new Error("not yet");
  };
  await assert.rejects(waitFor(condition, { timeoutMs: 20, message: "the end" }), {
    message: "Timed out after 20 ms waiting for the end: not yet",
  });
});
