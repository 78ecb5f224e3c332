import { type Client, type Connection, type Entry, pathsOf, SERVER_NAME, TOKEN_VARIABLE } from "./client.ts";
import { jsonFormat, jsonSnippet } from "./json_format.ts";

const form = { servers: "mcpServers", entry: entryOf };

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { type: "stdio", command, args }, foreign: ["url", "headers"] };
  }
  const { url, hasToken } = connection;
  const foreign = ["type", "command", "args"];
  if (!hasToken) return { owned: { url }, foreign: [...foreign, "headers"] };
  return { owned: { url, headers: { Authorization: `Bearer \${env:${TOKEN_VARIABLE}}` } }, foreign };
}

export const cursor: Client = {
  name: "cursor",
  title: "Cursor",
  reach: "http",
  isPrivate: true,
  files(machine): string[] {
    const path = pathsOf(machine);
    const project = path.join(machine.cwd, ".cursor");
    const own = path.join(machine.home, ".cursor", "mcp.json");
    return machine.isDirectory(project) ? [...new Set([path.join(project, "mcp.json"), own])] : [own];
  },
  format: jsonFormat(form),
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcpServers"`,
  notes: () => [],
};
