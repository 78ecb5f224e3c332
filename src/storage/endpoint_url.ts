/** Where a server listens, or is to. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/** Where MCP is served. */
export const MCP_PATH = "/mcp";

/** By which clients call the MCP endpoint at an address; `unix:///PATH#/mcp` for a socket. */
export function endpointUrl(address: Address): string {
  if (address.kind === "socket") return `unix://${address.path}#${MCP_PATH}`;
  const { host: bound, port } = address;
  // Nobody can be called under the address that means all.
  const host = /^(0\.0\.0\.0|::|)$/.test(bound) ? "127.0.0.1" : bound;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${MCP_PATH}`;
}
