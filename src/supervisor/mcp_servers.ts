/** Which of the user's MCP servers an agent gets. */
import { basename } from "node:path";
import { TaskError } from "../task/errors.ts";
import { isEndpoint } from "./own_url.ts";

/** As much of a configured server as matters here. */
export interface McpServerEntry {
  readonly name: string;
  readonly command: string | null;
  readonly args: readonly string[];
  /** `null` for one that is started by its command. */
  readonly url: string | null;
  readonly isEnabled: boolean;
}

/** How this program is known among them. */
export interface OwnServer {
  /** The file or program that it is. */
  readonly script: string;
  /** Where it, or another one on the same state, listens. */
  readonly endpoints: readonly string[];
}

/** This program and those it replaces: an agent that could start them would breed. */
const OWN_NAMES = /^codex[-_](swarm|mcp[-_]swarm|as[-_]mcp)(@.*)?(\.exe|\.py)?$/;

/**
 * The servers to switch off: our own entry always, and with `wanted` all others that it does not name. Throws
 * `invalid_argument` for a wanted server that nobody has configured.
 */
export function disabledMcpServers(
  configured: readonly McpServerEntry[],
  options: { readonly wanted?: readonly string[]; readonly own: OwnServer },
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
    .filter((server) => isOwn(server, options.own) || (wanted !== undefined && !wanted.includes(server.name)))
    .map(({ name }) => name);
}

function isOwn({ name, command, args, url }: McpServerEntry, { script, endpoints }: OwnServer): boolean {
  if (url !== null && (OWN_NAMES.test(name) || isEndpoint(url, endpoints))) return true;
  if (command === null) return false;
  // A command may lead to a server that listens, as mcp-remote does.
  return [command, ...args].some((word) =>
    word === script || OWN_NAMES.test(basename(word)) || isEndpoint(word, endpoints)
  );
}
