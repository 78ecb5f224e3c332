import { type Client, configDirectory, type Connection, type Entry, pathsOf, SERVER_NAME } from "./client.ts";
import { jsonSnippet } from "./json_format.ts";

const form = { servers: "mcpServers", entry: entryOf };

function entryOf(connection: Connection): Entry {
  const { command, args } = connection.kind === "stdio" ? connection : { command: "", args: [] };
  return { owned: { command, args }, foreign: [] };
}

export const claudeDesktop: Client = {
  name: "claude-desktop",
  title: "Claude Desktop",
  reach: "stdio",
  isPrivate: true,
  files(machine): string[] {
    const path = pathsOf(machine);
    const directory = machine.os === "darwin"
      ? path.join(machine.home, "Library", "Application Support")
      : configDirectory(machine);
    return [path.join(directory, "Claude", "claude_desktop_config.json")];
  },
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcpServers"`,
  notes: () => ["Claude Desktop gives a call up after a few minutes: use codex_async and codex_wait."],
};
