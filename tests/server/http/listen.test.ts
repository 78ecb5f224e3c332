import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { listen, type Listener, type ListenOptions } from "../../../src/server/http/listen.ts";
import type { Address } from "../../../src/storage/endpoint_url.ts";
import { startHttpServer } from "../../helpers/http_server.ts";
import { namesIn, tempDirectory } from "../../helpers/temp_directory.ts";
import { waitFor } from "../../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

async function hello(address: Address, options?: ListenOptions): Promise<Listener & AsyncDisposable> {
  const listener = await listen(address, (_message, outgoing) => {
    outgoing.end("hello");
    return Promise.resolve();
  }, options);
  return { ...listener, [Symbol.asyncDispose]: () => listener.close() };
}

/** Leaves what a killed server does. */
function leaveDeadSocket(path: string): void {
  const dead = Deno.listen({ transport: "unix", path });
  const kept = `${path}.kept`;
  Deno.renameSync(path, kept);
  dead.close();
  Deno.renameSync(kept, path);
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
    assert.deepEqual(namesIn(temp.path), []);
    leaveDeadSocket(path);
    Deno.writeTextFileSync(`${path}.lock`, "");
    await using two = await hello({ kind: "socket", path });
    assert.equal(await ask(path), "hello");
    // A server that ends makes room for the next at once.
    two.stop();
    await using _three = await hello({ kind: "socket", path });
    await two.close();
    assert.equal(await ask(path), "hello");
  },
);

Deno.test(
  { name: "listen() gives a socket to one of several servers that start at the same time", ignore },
  async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "swarm.sock");
    for (let round = 0; round < 20; round++) {
      leaveDeadSocket(path);
      const begun = await Promise.allSettled(Array.from({ length: 10 }, () => hello({ kind: "socket", path })));
      const listeners = begun.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
      const refusals = begun.flatMap((result) => result.status === "rejected" ? [`${result.reason}`] : []);
      const answer = await ask(path).catch(String);
      await Promise.all(listeners.map((listener) => listener.close()));
      assert.deepEqual([listeners.length, answer], [1, "hello"]);
      assert.deepEqual(refusals.filter((text) => !/: it is in use, maybe by another/.test(text)), []);
      assert.deepEqual(namesIn(temp.path), []);
    }
  },
);

Deno.test(
  { name: "listen() leaves a socket alone whose server has no room for a caller", ignore: Deno.build.os !== "linux" },
  async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "swarm.sock");
    using stack = new DisposableStack();
    // It takes no connection; what the system keeps waiting for it is bounded.
    const busy = stack.use(Deno.listen({ transport: "unix", path }));
    await assert.rejects(async () => {
      for (let count = 0; count < 10_000; count++) stack.use(await Deno.connect({ transport: "unix", path }));
    }, Deno.errors.WouldBlock);
    await assert.rejects(hello({ kind: "socket", path }), /it is in use, maybe by another codex-swarm/);
    assert.deepEqual(namesIn(temp.path), ["swarm.sock"]);
    stack.use(await busy.accept());
  },
);

Deno.test({ name: "listen() leaves what is no socket alone", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "notes");
  Deno.writeTextFileSync(path, "mine");
  await assert.rejects(hello({ kind: "socket", path }), /something else stands there/);
  await assert.rejects(hello({ kind: "socket", path: `${path}/s` }), /Cannot listen on .*\/s: /);
  await assert.rejects(hello({ kind: "socket", path: `${path}${"s".repeat(100)}` }), /too long for a socket/);
  await assert.rejects(hello({ kind: "socket", path: `${path}${"s".repeat(250)}` }), /too long for a socket/);
  await assert.rejects(hello({ kind: "socket", path: join(temp.path, "a", "s") }), /no such directory\. Make it first/);
  assert.equal(Deno.readTextFileSync(path), "mine");
  assert.deepEqual(namesIn(temp.path), ["notes"]);
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

Deno.test("listen() ends a connection unheard that is one too many, and has room again once another is over", async () => {
  await using listener = await hello({ kind: "tcp", host: "127.0.0.1", port: 0 }, { maxConnections: 2 });
  const { hostname, port } = new URL(listener.url);
  using stack = new DisposableStack();
  const greet = async (): Promise<{ readonly isHeard: boolean; readonly connection: Deno.TcpConn }> => {
    const connection = stack.use(await Deno.connect({ hostname, port: Number(port) }));
    try {
      await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      return { isHeard: await connection.read(new Uint8Array(1_024)) !== null, connection };
    } catch {
      // Ended while this was still asking.
      return { isHeard: false, connection };
    }
  };
  const [first, second, third] = [await greet(), await greet(), await greet()];
  assert.deepEqual([first.isHeard, second.isHeard, third.isHeard], [true, true, false]);
  first.connection.close();
  await waitFor(async () => (await greet()).isHeard, { message: "room for another" });
  assert.equal((await greet()).isHeard, false);
});
