import assert from "node:assert/strict";
import { type GateOptions, refuse, type RequestHead, withOwnName } from "../../../src/server/http/gate.ts";

const OPEN: GateOptions = { allowedHosts: new Set(["swarm.test"]), allowedOrigins: new Set(), token: null };

function head(host: string, origin?: string): RequestHead {
  return { method: "GET", path: "/healthz", host, origin, authorization: undefined, contentType: undefined };
}

function status(options: GateOptions, host: string, origin?: string): number {
  return refuse(head(host, origin), options)?.status ?? 200;
}

Deno.test("refuse() knows every name and address by which a machine reaches itself, as a host and as an origin", () => {
  const own = [
    "localhost",
    "LocalHost",
    "127.0.0.1",
    "127.0.0.2",
    "127.255.0.1",
    "127.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
  ];
  const strange = ["127.0.0.1.evil.test", "localhost.evil.test", "128.0.0.1", "[::2]", "0.0.0.0", "192.168.0.7"];
  for (const host of own) {
    assert.deepEqual([status(OPEN, host), status(OPEN, `${host}:7077`)], [200, 200], host);
    assert.equal(status(OPEN, "localhost", `http://${host}:6274`), 200, host);
  }
  for (const host of strange) {
    assert.deepEqual([status(OPEN, host), status(OPEN, `${host}:7077`)], [403, 403], host);
    assert.equal(status(OPEN, "localhost", `http://${host}:6274`), 403, host);
  }
});

Deno.test("withOwnName() lets in who calls the address on which the server listens, beside those allowed", () => {
  const cases = [["192.168.0.7", "192.168.0.7:80"], ["2001:DB8::0:1", "[2001:db8::1]:80"], [
    "A.test",
    "a.TEST",
  ]] as const;
  for (const [bound, host] of cases) {
    assert.equal(status(OPEN, host), 403, host);
    const options = withOwnName(OPEN, bound);
    assert.deepEqual(["swarm.test", "evil.test", host].map((name) => status(options, name)), [200, 403, 200]);
  }
  // A socket is open to any name.
  assert.equal(withOwnName({ ...OPEN, allowedHosts: null }, "a.test").allowedHosts, null);
});

Deno.test("refuse() asks each method for the token, but for what a browser asks first and the health of a server", () => {
  const options = { ...OPEN, token: "secret" };
  const statusOf = (method: string, path: string, authorization?: string): number =>
    refuse({ ...head("localhost"), method, path, authorization, contentType: "application/json" }, options)?.status ??
      200;
  for (const method of ["GET", "POST", "DELETE"]) {
    assert.equal(statusOf(method, "/mcp"), 401, method);
    assert.equal(statusOf(method, "/mcp", "Bearer other"), 401, method);
    assert.equal(statusOf(method, "/mcp", "Bearer secret"), 200, method);
  }
  for (const method of ["HEAD", "PUT", "PATCH"]) assert.equal(statusOf(method, "/mcp"), 401, method);
  assert.deepEqual([statusOf("OPTIONS", "/mcp"), statusOf("GET", "/healthz"), statusOf("HEAD", "/healthz")], [
    200,
    200,
    200,
  ]);
});

Deno.test("refuse() tells a stranger nothing of a token or of a path", () => {
  const options = { ...OPEN, token: "secret" };
  for (const method of ["GET", "POST", "DELETE", "OPTIONS", "PUT"]) {
    for (const path of ["/mcp", "/healthz", "/nowhere"]) {
      for (const authorization of [undefined, "Bearer other", "Bearer secret"]) {
        for (const stranger of [head("evil.test"), head("localhost", "https://evil.test")]) {
          const refusal = refuse({ ...stranger, method, path, authorization }, options);
          assert.equal(refusal?.status, 403, `${method} ${path} ${authorization}`);
        }
      }
    }
  }
});
