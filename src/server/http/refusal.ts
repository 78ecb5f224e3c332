/** An answer to a request that does not get to MCP. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Words a refusal as MCP has it: a JSON-RPC error without an id. */
export function refusalResponse({ status, message, headers = {} }: Refusal, code = -32_000): Response {
  const text = JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id: null });
  // With its length it is whole for the client before the connection ends.
  const length = new TextEncoder().encode(text).length;
  return new Response(text, {
    status,
    headers: { "content-type": "application/json", "content-length": String(length), ...headers },
  });
}
