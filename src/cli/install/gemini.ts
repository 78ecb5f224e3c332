import { type Client, type Connection, type Entry, pathsOf, SERVER_NAME, TOKEN_VARIABLE } from "./client.ts";
import { jsonSnippet } from "./json_format.ts";

const form = { servers: "mcpServers", entry: entryOf };

/** In milliseconds: Gemini CLI's own limit of a call is 10 minutes. */
const TIMEOUT = 3_600_000;

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { command, args, timeout: TIMEOUT }, foreign: [] };
  }
  const headers = { Authorization: `Bearer \${${TOKEN_VARIABLE}}` };
  const { url, hasToken } = connection;
  return { owned: { httpUrl: url, ...(hasToken ? { headers } : {}), timeout: TIMEOUT }, foreign: [] };
}

export const gemini: Client = {
  name: "gemini",
  title: "Gemini CLI",
  aliases: ["gemini-cli"],
  reach: "http",
  isPrivate: true,
  files: (machine) => [pathsOf(machine).join(machine.home, ".gemini", "settings.json")],
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcpServers"`,
  notes: (connection) =>
    connection.kind === "http" ? [] : [
      "Gemini CLI keeps variables from its servers whose names have TOKEN, KEY, SECRET, AUTH or the like in them. What " +
      'agents need of these has to be named in the entry, such as "env": { "CODEX_API_KEY": "$CODEX_API_KEY" }.',
    ],
};
