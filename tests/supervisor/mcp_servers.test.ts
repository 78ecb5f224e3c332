import assert from "node:assert/strict";
import { disabledMcpServers, type McpServerEntry } from "../../src/supervisor/mcp_servers.ts";
import { TaskError } from "../../src/task/errors.ts";

const OWN_SCRIPT = "/opt/swarm/main.ts";

function server(name: string, command: string | null, ...args: string[]): McpServerEntry {
  return { name, command, args, isEnabled: true };
}

const FILES = server("files", "npx", "-y", "@modelcontextprotocol/server-filesystem");
const WEB = server("web", null);
const OWN = server("swarm", "npx", "-y", "deno@2.9.6", "run", OWN_SCRIPT);

Deno.test("disabledMcpServers() switches off our own entry only, unless asked for more", () => {
  assert.deepEqual(disabledMcpServers([FILES, WEB, OWN], { ownScript: OWN_SCRIPT }), ["swarm"]);
  assert.deepEqual(disabledMcpServers([FILES, WEB], { ownScript: OWN_SCRIPT }), []);
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
  assert.deepEqual(disabledMcpServers([...own, ...others], { ownScript: OWN_SCRIPT }), ["a", "b", "c", "d", "e"]);
});

Deno.test("disabledMcpServers() keeps the wanted ones only, but never our own", () => {
  const configured = [FILES, WEB, OWN];
  const disabled = (wanted: readonly string[]): string[] =>
    disabledMcpServers(configured, { wanted, ownScript: OWN_SCRIPT });
  assert.deepEqual(disabled([]), ["files", "web", "swarm"]);
  assert.deepEqual(disabled(["web"]), ["files", "swarm"]);
  assert.deepEqual(disabled(["web", "swarm"]), ["files", "swarm"]);
});

Deno.test("disabledMcpServers() leaves those alone that are switched off already", () => {
  assert.deepEqual(disabledMcpServers([{ ...FILES, isEnabled: false }], { wanted: [], ownScript: OWN_SCRIPT }), []);
});

Deno.test("disabledMcpServers() refuses a wanted server that nobody has configured", () => {
  const refuse = (configured: readonly McpServerEntry[]): void => {
    disabledMcpServers(configured, { wanted: ["files", "nope"], ownScript: OWN_SCRIPT });
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
