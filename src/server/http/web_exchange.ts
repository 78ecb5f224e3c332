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
  const closed = new Promise<"closed">((resolve) => outgoing.once("close", () => resolve("closed")));
  const leave = async (): Promise<void> => await reader?.cancel().catch(() => undefined);
  try {
    if (outgoing.destroyed) return await leave();
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    for (const [name, value] of response.headers) if (name !== "connection") outgoing.setHeader(name, value);
    outgoing.writeHead(response.status);
    // Clients count from the first byte.
    outgoing.flushHeaders();
    while (reader !== undefined) {
      const read = await Promise.race([reader.read(), closed]);
      if (read === "closed") return await leave();
      if (read.done) break;
      if (!outgoing.write(read.value) && await Promise.race([drained(outgoing), closed]) === "closed") {
        return await leave();
      }
    }
    await beforeEnd();
    outgoing.end();
  } catch {
    // Who has left takes nothing more, and a body that fails has an end too.
    await leave();
    outgoing.destroy();
  }
}

function drained(outgoing: ServerResponse): Promise<"drained"> {
  return new Promise((resolve) => outgoing.once("drain", () => resolve("drained")));
}
