/** Between Node's requests and responses, whose connections can be bounded, and those of the web, which the SDK speaks. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Gives the head of a request as one of the web; what its body holds is passed on beside it. */
export function toRequest(message: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return new Request("http://localhost/mcp", { method: message.method ?? "GET", headers, signal });
}

/** Sends a response, as fast as the client takes it; settles when it was sent or nobody takes it any more. Never rejects. */
export async function sendResponse(
  response: Response,
  outgoing: ServerResponse,
  { headers, beforeEnd }: {
    readonly headers: Readonly<Record<string, string>>;
    /** What is to be done when all was written and the connection is still open. */
    readonly beforeEnd: () => Promise<void> | undefined;
  },
): Promise<void> {
  const reader = response.body?.getReader();
  let hasLeft = outgoing.destroyed;
  // A cancelled body seems to be at its end to whoever reads it: `hasLeft` tells the two apart.
  const leave = (): void => {
    hasLeft = true;
    void reader?.cancel().catch(() => undefined);
  };
  outgoing.once("close", leave);
  try {
    if (hasLeft) return leave();
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    for (const [name, value] of response.headers) if (name !== "connection") outgoing.setHeader(name, value);
    outgoing.writeHead(response.status);
    // Clients count from the first byte.
    outgoing.flushHeaders();
    // Nothing here may race with a promise that lasts as long as the connection: it would hold each part that was sent.
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (hasLeft) return;
      if (done) break;
      if (!outgoing.write(value)) await drained(outgoing);
    }
    await beforeEnd();
    outgoing.end();
  } catch {
    // Who has left takes nothing more, and a body that fails has an end too.
    leave();
    outgoing.destroy();
  } finally {
    outgoing.off("close", leave);
  }
}

/** Settles when the client takes more, or nothing any more. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      outgoing.off("drain", settle).off("close", settle);
      resolve();
    };
    outgoing.on("drain", settle).on("close", settle);
  });
}
