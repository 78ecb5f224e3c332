import assert from "node:assert/strict";
import { endpointUrl } from "../../src/storage/endpoint_url.ts";

Deno.test("endpointUrl() gives by what clients call an address", () => {
  const tcp = (host: string): string => endpointUrl({ kind: "tcp", host, port: 7 });
  assert.equal(tcp("127.0.0.1"), "http://127.0.0.1:7/mcp");
  assert.equal(tcp("::1"), "http://[::1]:7/mcp");
  // Nobody can be called under the address that means all.
  for (const host of ["", "0.0.0.0", "::"]) assert.equal(tcp(host), "http://127.0.0.1:7/mcp");
  assert.equal(endpointUrl({ kind: "socket", path: "/run/a b" }), "unix:///run/a b#/mcp");
});
