import assert from "node:assert/strict";
import { keepEnds } from "../../src/git/keep_ends.ts";

async function kept(text: string, { chunk, max }: { readonly chunk: number; readonly max: number }): Promise<unknown> {
  const bytes = new TextEncoder().encode(text);
  const chunks = Array.from(
    { length: Math.ceil(bytes.length / chunk) },
    (_, at) => bytes.slice(at * chunk, (at + 1) * chunk),
  );
  const ends = await keepEnds(ReadableStream.from(chunks), max);
  return [new TextDecoder().decode(ends.bytes), ends.dropped];
}

Deno.test("keepEnds() keeps all that fits, else as much of the start as of the end", async () => {
  const text = "0123456789abcdefghij";
  for (const chunk of [1, 3, 7, 10, 20]) {
    assert.deepEqual(await kept(text, { chunk, max: 20 }), [text, 0]);
    assert.deepEqual(await kept(text, { chunk, max: 100 }), [text, 0]);
    assert.deepEqual(await kept(text, { chunk, max: 8 }), ["0123ghij", 12]);
    assert.deepEqual(await kept(text, { chunk, max: 0 }), ["", 20]);
  }
  assert.deepEqual(await kept("", { chunk: 1, max: 8 }), ["", 0]);
});
