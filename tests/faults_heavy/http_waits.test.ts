/** A long wait over HTTP, for a client that gives up where the first byte of an answer takes a minute. */
import assert from "node:assert/strict";
import { impatientFetch, startHttpServer } from "../helpers/http_server.ts";

const ignore = Deno.build.os === "windows";
/** What Claude Code bears. */
const FIRST_BYTE_MS = 60_000;
const WAIT_MS = 90_000;
/** Progress comes every ten seconds at least; the rest is for a busy machine. */
const MOST_SILENT_MS = 20_000;

for (const era of ["2025", "2026"] as const) {
  Deno.test(
    { name: `a wait of 90 s is answered to a client of the ${era} era with a limit of 60 s`, ignore },
    async () => {
      await using server = await startHttpServer({ args: ["--max-wait", `${WAIT_MS / 1_000}s`] });
      await using client = await server.connect({ era, fetch: impatientFetch(FIRST_BYTE_MS) });
      const { structured: { task_id: id } } = await client.call("codex_async", {
        prompt: "fake:hold(go) fake:say(done)",
      });
      const heardMs = [performance.now()];
      const { structured } = await client.call("codex_wait", { task_ids: [id] }, {
        onProgress: () => heardMs.push(performance.now()),
      });
      heardMs.push(performance.now());
      assert.deepEqual(structured.running, [id]);
      const [first = 0, last = 0] = [heardMs[0], heardMs.at(-1)];
      assert.ok(last - first >= WAIT_MS, `${last - first} ms`);
      const silentMs = heardMs.slice(1).map((at, index) => at - (heardMs[index] ?? 0));
      assert.ok(Math.max(...silentMs) < MOST_SILENT_MS, silentMs.map(Math.round).join(", "));
      await Deno.writeTextFile(`${server.cwd}/go`, "");
      const { structured: ended } = await client.call("codex_wait", { task_ids: [id] });
      assert.equal(ended.tasks[0].answer, "done");
    },
  );
}

Deno.test("such a client gives up on a server that says nothing for longer (control)", async () => {
  const { promise: never, resolve } = Promise.withResolvers<Response>();
  await using silent = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, () => never);
  await assert.rejects(impatientFetch(200)(`http://127.0.0.1:${silent.addr.port}/`), /no byte came in 200 ms/);
  resolve(new Response());
});
