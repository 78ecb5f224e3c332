/** An answer to a request that does not get to MCP. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Words a refusal as MCP has it: a JSON-RPC error without an id. */
export function refusalResponse({ status, message, headers = {} }: Refusal, code = -32_000): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}
