import {
  type Client,
  configDirectory,
  type Connection,
  type Entry,
  pathsOf,
  SERVER_NAME,
  TOKEN_VARIABLE,
} from "./client.ts";
import { jsonSnippet } from "./json_format.ts";

const form = { servers: "mcp", entry: entryOf };

/** In milliseconds, begun anew by each progress: the server reports some every 10 s. */
const TIMEOUT = 60_000;

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { type: "local", command: [command, ...args], enabled: true, timeout: TIMEOUT }, foreign: [] };
  }
  const headers = { Authorization: `Bearer {env:${TOKEN_VARIABLE}}` };
  const { url, hasToken } = connection;
  return {
    owned: { type: "remote", url, enabled: true, ...(hasToken ? { headers } : {}), timeout: TIMEOUT },
    foreign: [],
  };
}

export const opencode: Client = {
  name: "opencode",
  title: "opencode",
  reach: "http",
  isPrivate: true,
  files(machine): string[] {
    const path = pathsOf(machine);
    // It looks there on Windows too.
    const directory = machine.os === "windows" ? path.join(machine.home, ".config") : configDirectory(machine);
    return [path.join(directory, "opencode", "opencode.json")];
  },
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcp"`,
  notes:
    () => ["A project's own opencode.json takes the same. opencode 2 has servers one level deeper, in mcp.servers."],
};
