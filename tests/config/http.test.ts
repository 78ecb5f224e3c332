import assert from "node:assert/strict";
import { type Config, ConfigError, parseConfig } from "../../src/config.ts";

const OWN_TOKEN = { kind: "file", path: "/home/u/.local/state/codex-swarm/token", isOwn: true } as const;
const TOKEN = "0123456789abcdef";

function parse(args: string, env: Readonly<Record<string, string>> = {}): Config {
  const words = args.split(" ").filter((word) => word !== "");
  return parseConfig({ args: words, cwd: "/place", os: "linux", env: { HOME: "/home/u", ...env } });
}

function refusal(args: string, env: Readonly<Record<string, string>> = {}): string {
  try {
    parse(args, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${error}`);
    return error.message;
  }
  throw new Error(`accepted ${args}`);
}

Deno.test("parseConfig() reads where to listen", () => {
  const addresses: readonly [args: string, host: string, port: number, env?: Readonly<Record<string, string>>][] = [
    ["--http", "127.0.0.1", 7077],
    ["--http mcp-server", "127.0.0.1", 7077],
    ["--http 8080", "127.0.0.1", 8080],
    ["--http 0", "127.0.0.1", 0],
    ["--http :0", "127.0.0.1", 0],
    ["--http 1", "127.0.0.1", 1],
    ["--http=1", "127.0.0.1", 7077],
    ["--http localhost", "localhost", 7077],
    ["--http=localhost", "localhost", 7077],
    ["--http 127.0.0.1 mcp-server", "127.0.0.1", 7077],
    ["--http [::1]", "::1", 7077],
    ["--http localhost --port 2", "localhost", 2],
    ["--http :8080", "127.0.0.1", 8080],
    ["--http localhost:8080", "localhost", 8080],
    ["--http=localhost:8080", "localhost", 8080],
    ["--http [::1]:8080", "::1", 8080],
    ["--http 127.0.0.2:0", "127.0.0.2", 0],
    ["--http localhost:1 --port 2", "localhost", 2],
    ["--port 0", "127.0.0.1", 0],
    ["", "127.0.0.1", 7077, { CODEX_SWARM_HTTP: "1" }],
    ["", "127.0.0.1", 7077, { CODEX_SWARM_HTTP: "true" }],
    ["", "localhost", 99, { CODEX_SWARM_HTTP: "localhost:99" }],
    ["", "127.0.0.2", 7077, { CODEX_SWARM_HTTP: "127.0.0.2" }],
    ["--http", "127.0.0.1", 7077, { CODEX_SWARM_HTTP: "localhost:99" }],
  ];
  for (const [args, host, port, env] of addresses) {
    assert.deepEqual(parse(args, env).http, {
      address: { kind: "tcp", host, port },
      token: OWN_TOKEN,
      allowedHosts: [],
      allowedOrigins: [],
    }, args);
  }
  assert.deepEqual(parse("--socket s/swarm.sock").http?.address, { kind: "socket", path: "/place/s/swarm.sock" });
  for (const off of ["0", "no"]) assert.equal(parse("", { CODEX_SWARM_HTTP: off }).http, null);
  for (const off of ["0", "no", "false"]) assert.equal(parse(`--http=${off}`).http, null);
  for (const args of ["doctor --http", "--http doctor"]) assert.equal(parse(args).command, "doctor");
  assert.match(refusal("--http foo"), /^Unknown command "foo"/);
});

Deno.test("parseConfig() bounds what calls over HTTP may ask for, unless that is said", () => {
  assert.equal(parse("").limits.maxSandbox, null);
  assert.equal(parse("--http").limits.maxSandbox, "workspace-write");
  assert.equal(parse("--http --max-sandbox danger-full-access").limits.maxSandbox, "danger-full-access");
});

Deno.test("parseConfig() reads which token is asked for, and passes it on to nobody", () => {
  assert.deepEqual(parse("--http").http?.token, OWN_TOKEN);
  assert.deepEqual(parse("--http --token-file ~/t").http?.token, { kind: "file", path: "/home/u/t", isOwn: false });
  assert.deepEqual(parse("--http --no-token").http?.token, { kind: "none" });
  const given = parse("--http", { CODEX_SWARM_TOKEN: TOKEN });
  assert.deepEqual(given.http?.token, { kind: "given", token: TOKEN });
  assert.equal("CODEX_SWARM_TOKEN" in given.env, false);
  // What is said with a flag wins.
  assert.equal(parse("--http --token-file /t", { CODEX_SWARM_TOKEN: TOKEN }).http?.token.kind, "file");
  const error = refusal("--http", { CODEX_SWARM_TOKEN: "hunter2 hunter2" });
  assert.match(error, /^Invalid CODEX_SWARM_TOKEN: expected at least 16 printable/);
  assert.doesNotMatch(error, /hunter/);
  assert.match(refusal("--http --no-token --token-file t"), /exclude each other/);
});

Deno.test("parseConfig() reads who may call, by name alone", () => {
  const { http } = parse(
    "--http --allowed-host A.example:80,b.example --allowed-host c --allowed-origin HTTPS://A.example/",
  );
  assert.deepEqual(http?.allowedHosts, ["a.example", "b.example", "c"]);
  assert.deepEqual(http?.allowedOrigins, ["https://a.example"]);
  assert.deepEqual(parse("--http", { CODEX_SWARM_ALLOWED_HOST: "x, y" }).http?.allowedHosts, ["x", "y"]);
  for (const host of ["http://a.example", "a/b", "a b", "*", "*.example"]) {
    assert.match(refusal(`--http --allowed-host=${host.replace(" ", "?")}`), /Invalid --allowed-host/);
  }
  assert.match(refusal("--http --allowed-host *"), /"\*": expected a host's name, such as .*; give the name of each/);
  for (const origin of ["a.example", "https://a.example/path", "null"]) {
    assert.match(refusal(`--http --allowed-origin ${origin}`), /Invalid --allowed-origin/);
  }
});

Deno.test("parseConfig() opens no door to other machines without a token and the names it is known by", () => {
  const names = "--allowed-host swarm.example";
  for (const host of ["0.0.0.0", "[::]", "192.168.0.7", "swarm.example", "127.0.0.1.evil.example"]) {
    assert.match(refusal(`--http ${host}:7077`), /which other machines can reach, without --allowed-host NAME/);
    assert.match(refusal(`--http ${host}:7077 --no-token ${names}`), /without a token \(leave out --no-token\)$/);
    assert.match(refusal(`--http ${host}:7077 --no-token`), /without a token .* and --allowed-host/);
    assert.deepEqual(parse(`--http ${host}:7077 ${names}`).http?.allowedHosts, ["swarm.example"]);
  }
  for (const host of ["127.0.0.1", "127.3.2.1", "127.1", "localhost", "LocalHost", "[::1]", "[0:0:0:0:0:0:0:1]"]) {
    assert.equal(parse(`--http ${host}:7077 --no-token`).http?.token.kind, "none");
  }
});

Deno.test("parseConfig() says what is wrong with an address", () => {
  assert.match(
    refusal("--http=swarm.example"),
    /^Invalid --http "swarm\.example": expected HOST:PORT, such as 127\.0\.0\.1:7077.*; only localhost and IP addresses/,
  );
  assert.match(refusal("--http 0.0.0.0"), /^Cannot listen on 0\.0\.0\.0, which other machines can reach, without/);
  assert.match(refusal("--http localhost:99999"), /^Invalid --http "localhost:99999"/);
  assert.match(refusal("--http=http://localhost:7077"), /^Invalid --http/);
  assert.match(refusal("", { CODEX_SWARM_HTTP: "maybe" }), /^Invalid --http "maybe"/);
  assert.match(refusal("--port 70000"), /^Invalid --port "70000": expected a whole number from 0 to 65535/);
  assert.match(refusal("--socket s --port 1"), /give one of them/);
  assert.match(refusal("--socket s --http localhost:1"), /give one of them/);
});
