import assert from "node:assert/strict";
import { disabledMcpServers, type McpServerEntry } from "../../src/supervisor/mcp_servers.ts";
import { TaskError } from "../../src/task/errors.ts";

const OWN_SCRIPT = "/opt/swarm/main.ts";
const ENDPOINTS = ["http://127.0.0.1:7077/mcp", "http://0.0.0.0:8080/mcp", "unix:///run/a b/swarm.sock#/mcp"];
const OWN_SERVER = { script: OWN_SCRIPT, endpoints: ENDPOINTS };

function server(name: string, command: string | null, ...args: string[]): McpServerEntry {
  return { name, command, args, url: null, isEnabled: true };
}

function remote(name: string, url: string): McpServerEntry {
  return { name, command: null, args: [], url, isEnabled: true };
}

const FILES = server("files", "npx", "-y", "@modelcontextprotocol/server-filesystem");
const WEB = remote("web", "https://example.com/mcp");
const OWN = server("swarm", "npx", "-y", "deno@2.9.6", "run", OWN_SCRIPT);

Deno.test("disabledMcpServers() switches off our own entry only, unless asked for more", () => {
  assert.deepEqual(disabledMcpServers([FILES, WEB, OWN], { own: OWN_SERVER }), ["swarm"]);
  assert.deepEqual(disabledMcpServers([FILES, WEB], { own: OWN_SERVER }), []);
});

Deno.test("disabledMcpServers() knows this program and those it replaces by any of their commands", () => {
  const own = [
    server("a", "/usr/local/bin/codex-swarm"),
    server("b", "uvx", "codex-mcp-swarm"),
    server("c", "uvx", "codex-as-mcp@latest"),
    server("d", "C:/tools/codex-swarm.exe"),
    server("e", "npx", "-y", "codex-swarm@0.1.0"),
  ];
  const others = [server("f", "my-codex-swarm"), server("g", "codex-swarmer"), server("h", "node", "codex.js")];
  assert.deepEqual(disabledMcpServers([...own, ...others], { own: OWN_SERVER }), ["a", "b", "c", "d", "e"]);
});

Deno.test("disabledMcpServers() knows this program by where it listens, or by its name", () => {
  const own = [
    remote("as_noted", "http://127.0.0.1:7077/mcp"),
    remote("by_name", "http://localhost:7077/mcp/"),
    remote("by_ipv6", "http://[::1]:7077"),
    remote("mapped", "http://[::ffff:127.0.0.1]:7077/mcp"),
    remote("behind_tls", "https://localhost:7077/mcp"),
    remote("on_all", "http://127.0.0.1:8080/mcp"),
    remote("socket", "unix:///run/a%20b/swarm.sock#/mcp"),
    remote("socket_alone", "unix:/run/a b/swarm.sock"),
    remote("socket_as_host", "http+unix://%2Frun%2Fa%20b%2Fswarm.sock/mcp"),
    remote("codex-swarm", "https://swarm.example.com/mcp"),
    remote("codex_swarm", "no url at all"),
    server("by_bridge", "npx", "-y", "mcp-remote", "http://localhost:7077/mcp"),
  ];
  const others = [
    remote("other_port", "http://127.0.0.1:7078/mcp"),
    remote("other_host", "http://example.com:7077/mcp"),
    remote("other_socket", "unix:///run/other.sock#/mcp"),
    remote("odd", "file:///run/a b/swarm.sock"),
    remote("bad", "http://%zz"),
    remote("my-codex-swarm", "https://example.com/codex-swarm"),
    server("codex-swarm", "docs-server"),
  ];
  const disabled = disabledMcpServers([...own, ...others], { own: OWN_SERVER });
  assert.deepEqual(disabled, own.map(({ name }) => name));
});

Deno.test("disabledMcpServers() keeps the wanted ones only, but never our own", () => {
  const configured = [FILES, WEB, OWN];
  const disabled = (wanted: readonly string[]): string[] => disabledMcpServers(configured, { wanted, own: OWN_SERVER });
  assert.deepEqual(disabled([]), ["files", "web", "swarm"]);
  assert.deepEqual(disabled(["web"]), ["files", "swarm"]);
  assert.deepEqual(disabled(["web", "swarm"]), ["files", "swarm"]);
});

Deno.test("disabledMcpServers() leaves those alone that are switched off already", () => {
  assert.deepEqual(disabledMcpServers([{ ...FILES, isEnabled: false }], { wanted: [], own: OWN_SERVER }), []);
});

Deno.test("disabledMcpServers() refuses a wanted server that nobody has configured", () => {
  const refuse = (configured: readonly McpServerEntry[]): void => {
    disabledMcpServers(configured, { wanted: ["files", "nope"], own: OWN_SERVER });
  };
  assert.throws(
    () => refuse([FILES, WEB]),
    new TaskError("invalid_argument", "Cannot keep MCP server nope: configured are files, web."),
  );
  assert.throws(
    () => refuse([]),
    new TaskError("invalid_argument", "Cannot keep MCP server files, nope: none are configured."),
  );
});
