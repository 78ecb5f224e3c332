import { type Client, type Connection, type Entry, pathsOf, SERVER_NAME, TOKEN_VARIABLE } from "./client.ts";
import { jsonSnippet } from "./json_format.ts";

const form = { servers: "mcpServers", entry: entryOf };

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { command, args }, foreign: [] };
  }
  const headers = { Authorization: `Bearer \${env:${TOKEN_VARIABLE}}` };
  return { owned: { serverUrl: connection.url, ...(connection.hasToken ? { headers } : {}) }, foreign: [] };
}

export const windsurf: Client = {
  name: "windsurf",
  title: "Windsurf",
  reach: "http",
  isPrivate: true,
  files: (machine) => [pathsOf(machine).join(machine.home, ".codeium", "windsurf", "mcp_config.json")],
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcpServers"`,
  notes: () => [],
};
