/** Which of the user's MCP servers an agent gets. */
import { basename } from "node:path";
import { TaskError } from "../task/errors.ts";

/** As much of a configured server as matters here. */
export interface McpServerEntry {
  readonly name: string;
  readonly command: string | null;
  readonly args: readonly string[];
  readonly isEnabled: boolean;
}

/** This program and those it replaces: an agent that could start them would breed. */
const OWN_NAMES = /^codex[-_](swarm|mcp[-_]swarm|as[-_]mcp)(@.*)?(\.exe|\.py)?$/;

/**
 * The servers to switch off: our own entry always, and with `wanted` all others that it does not name. Throws
 * `invalid_argument` for a wanted server that nobody has configured.
 */
export function disabledMcpServers(
  configured: readonly McpServerEntry[],
  options: { readonly wanted?: readonly string[]; readonly ownScript: string },
): string[] {
  const { wanted } = options;
  const names = configured.map(({ name }) => name);
  const unknown = wanted?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) {
    const known = names.length === 0 ? "none are configured" : `configured are ${names.join(", ")}`;
    throw new TaskError("invalid_argument", `Cannot keep MCP server ${unknown.join(", ")}: ${known}.`);
  }
  return configured
    .filter((server) => server.isEnabled)
    .filter((server) => isOwn(server, options.ownScript) || (wanted !== undefined && !wanted.includes(server.name)))
    .map(({ name }) => name);
}

function isOwn(server: McpServerEntry, ownScript: string): boolean {
  if (server.command === null) return false;
  return [server.command, ...server.args].some((word) => word === ownScript || OWN_NAMES.test(basename(word)));
}
