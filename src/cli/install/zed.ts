import { type Client, configDirectory, type Connection, type Entry, pathsOf, SERVER_NAME } from "./client.ts";
import { jsonSnippet } from "./json_format.ts";

/** The longest that Zed lets a call take, in seconds. */
const MAX_TIMEOUT = 600;
const form = { servers: "context_servers", entry: entryOf };

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { source: "custom", command, args, env: {}, timeout: MAX_TIMEOUT }, foreign: [] };
  }
  const headers = { Authorization: "Bearer TOKEN" };
  const { url, hasToken } = connection;
  return { owned: { url, ...(hasToken ? { headers } : {}), timeout: MAX_TIMEOUT }, foreign: [] };
}

export const zed: Client = {
  name: "zed",
  title: "Zed",
  reach: "http",
  isPrivate: true,
  files(machine): string[] {
    const folder = machine.os === "windows" ? "Zed" : "zed";
    return [pathsOf(machine).join(configDirectory(machine), folder, "settings.json")];
  },
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "context_servers"`,
  notes: (connection) =>
    connection.kind === "http" && connection.hasToken
      ? [
        "Zed reads no variables here: the token itself has to take the place of TOKEN. Keep the file to yourself then.",
      ]
      : [],
};
