import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { listen, type Listener } from "../../../src/server/http/listen.ts";
import type { Address } from "../../../src/storage/endpoint_url.ts";
import { startHttpServer } from "../../helpers/http_server.ts";
import { tempDirectory } from "../../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";

async function hello(address: Address): Promise<Listener & AsyncDisposable> {
  const listener = await listen(address, (_message, outgoing) => {
    outgoing.end("hello");
    return Promise.resolve();
  });
  return { ...listener, [Symbol.asyncDispose]: () => listener.close() };
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/" }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => text += part).on("end", () => resolve(text));
    });
    asked.on("error", reject).end();
  });
}

Deno.test("listen() says what stands in the way", async () => {
  await using one = await hello({ kind: "tcp", host: "127.0.0.1", port: 0 });
  const port = Number(new URL(one.url).port);
  await assert.rejects(
    hello({ kind: "tcp", host: "127.0.0.1", port }),
    new RegExp(`^TaskError: Cannot listen on 127\\.0\\.0\\.1:${port}: it is in use, .* --port 0 for a free one\\.$`),
  );
  await assert.rejects(hello({ kind: "tcp", host: "203.0.113.7", port: 0 }), /this machine has no such address/);
});

Deno.test(
  { name: "listen() makes a socket for its owner alone, and takes over one that nobody listens on", ignore },
  async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "swarm.sock");
    {
      await using one = await hello({ kind: "socket", path });
      assert.equal(one.url, `unix://${path}#/mcp`);
      assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
      assert.equal(await ask(path), "hello");
      await assert.rejects(hello({ kind: "socket", path }), /in use, .* name another --socket\./);
      assert.equal(await ask(path), "hello");
    }
    // What a killed server leaves.
    const dead = Deno.listen({ transport: "unix", path });
    const kept = `${path}.kept`;
    Deno.renameSync(path, kept);
    dead.close();
    Deno.renameSync(kept, path);
    await using two = await hello({ kind: "socket", path });
    assert.equal(await ask(path), "hello");
    assert.ok(two.url.length > 0);
  },
);

Deno.test({ name: "listen() leaves what is no socket alone", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "notes");
  Deno.writeTextFileSync(path, "mine");
  await assert.rejects(hello({ kind: "socket", path }), /something else stands there/);
  await assert.rejects(hello({ kind: "socket", path: `${path}/s` }), /Cannot listen on .*\/s: /);
  await assert.rejects(hello({ kind: "socket", path: `${path}${"s".repeat(100)}` }), /too long for a socket/);
  await assert.rejects(hello({ kind: "socket", path: join(temp.path, "a", "s") }), /no such directory\. Make it first/);
  assert.equal(Deno.readTextFileSync(path), "mine");
});

Deno.test({ name: "a server on a Unix socket needs no name, but its token", ignore }, async () => {
  await using temp = await tempDirectory();
  const socketPath = join(temp.path, "swarm.sock");
  await using server = await startHttpServer({ listen: ["--socket", socketPath] });
  const status = (headers: Record<string, string>, path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath, path, headers: { host: "whatever", ...headers } }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      });
      asked.on("error", reject).end();
    });
  assert.equal(await status({}, "/healthz"), 200);
  assert.equal(await status({}, "/mcp"), 401);
  assert.equal(await status({ authorization: `Bearer ${server.token}` }, "/mcp"), 400);
});

Deno.test("a second server on the same port ends with a word about it, and the first is told of to others", async () => {
  await using one = await startHttpServer();
  const { port } = new URL(one.url);
  await assert.rejects(
    startHttpServer({ listen: ["--port", port] }),
    /the server ended: codex-swarm: Cannot listen on 127\.0\.0\.1:\d+: it is in use/,
  );
});
