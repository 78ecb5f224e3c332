import assert from "node:assert/strict";
import { listen } from "../../../src/server/http/listen.ts";
import { sendResponse } from "../../../src/server/http/web_exchange.ts";
import { collectGarbage } from "../../helpers/collect_garbage.ts";
import { waitFor } from "../../helpers/wait_for.ts";

const PARTS = 200;
const PART_BYTES = 1_024;
/** Parts that a stream and those on its way may still hold. */
const ON_THE_WAY = 10;

/** Somebody who reads what a body is sent to. */
interface Exchange extends AsyncDisposable {
  readonly client: Deno.TcpConn;
  /** Settles with `sendResponse()`. */
  readonly sent: Promise<void>;
}

async function send(body: ReadableStream<Uint8Array>): Promise<Exchange> {
  const { promise: sent, resolve, reject } = Promise.withResolvers<void>();
  const listener = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, async (_message, outgoing) => {
    await sendResponse(new Response(body), outgoing, { headers: {}, beforeEnd: () => undefined }).then(resolve, reject);
  });
  const { hostname, port } = new URL(listener.url);
  const client = await Deno.connect({ hostname, port: Number(port) });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  return {
    client,
    sent,
    async [Symbol.asyncDispose](): Promise<void> {
      await listener.close();
      try {
        client.close();
      } catch {
        // It has left already.
      }
    },
  };
}

/** Reads until so many bytes have come. */
async function readBytes(client: Deno.TcpConn, least: number): Promise<void> {
  const buffer = new Uint8Array(64 * 1_024);
  for (let read = 0; read < least;) read += await client.read(buffer) ?? assert.fail("the connection has ended");
}

Deno.test("sendResponse() sends the head before there is anything of the body", async () => {
  const body = Promise.withResolvers<void>();
  await using exchange = await send(
    new ReadableStream<Uint8Array>({
      pull: (controller) => body.promise.then(() => controller.close()),
    }),
  );
  let head = "";
  const reading = (async (): Promise<void> => {
    const buffer = new Uint8Array(1_024);
    head = new TextDecoder().decode(buffer.subarray(0, await exchange.client.read(buffer) ?? 0));
  })();
  await waitFor(() => head !== "", { message: "the head" });
  assert.match(head, /^HTTP\/1\.1 200 /);
  body.resolve();
  await Promise.all([reading, exchange.sent]);
});

Deno.test("sendResponse() holds nothing of a long stream that was sent", async () => {
  const parts: WeakRef<Uint8Array>[] = [];
  const body = new ReadableStream<Uint8Array>({
    pull(controller): Promise<void> | void {
      // From here on it is silent, but open.
      if (parts.length === PARTS) return new Promise(() => {});
      const part = new Uint8Array(PART_BYTES);
      parts.push(new WeakRef(part));
      controller.enqueue(part);
    },
  });
  await using exchange = await send(body);
  await readBytes(exchange.client, PARTS * PART_BYTES);
  const held = (): number => parts.filter((part) => part.deref() !== undefined).length;
  await waitFor(() => {
    collectGarbage();
    return held() <= ON_THE_WAY;
  }, { message: `no more than ${ON_THE_WAY} parts to be held`, timeoutMs: 5_000 });
});

for (const [when, isFlood] of [["is silent", false], ["is more than the client takes", true]] as const) {
  Deno.test(`sendResponse() ends with the client that leaves a stream which ${when}, and lets the stream know`, async () => {
    const cancelled = Promise.withResolvers<void>();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller): Promise<void> | void {
        if (!isFlood && pulled > 0) return new Promise(() => {});
        pulled++;
        controller.enqueue(new Uint8Array(PART_BYTES * PART_BYTES));
      },
      cancel: () => cancelled.resolve(),
    });
    await using exchange = await send(body);
    if (!isFlood) await readBytes(exchange.client, PART_BYTES * PART_BYTES);
    else {
      let before = -1;
      await waitFor(() => {
        const isStill = pulled === before;
        before = pulled;
        return isStill;
      }, { message: "the server to wait for its client" });
    }
    exchange.client.close();
    await Promise.all([cancelled.promise, exchange.sent]);
  });
}

Deno.test("sendResponse() sends a body whole that a slow client takes in its own time", async () => {
  let left = PARTS;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (left-- === 0) controller.close();
      else controller.enqueue(new Uint8Array(PART_BYTES * 64));
    },
  });
  await using exchange = await send(body);
  await readBytes(exchange.client, PARTS * PART_BYTES * 64);
  await exchange.sent;
});
