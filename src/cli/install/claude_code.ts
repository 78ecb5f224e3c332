import {
  type Client,
  type Connection,
  type Entry,
  pathsOf,
  SERVER_NAME,
  shellCommand,
  TOKEN_VARIABLE,
} from "./client.ts";
import { jsonFormat, jsonSnippet } from "./json_format.ts";

const AUTHORIZATION = `Bearer \${${TOKEN_VARIABLE}}`;
const form = { servers: "mcpServers", entry: entryOf };

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { type: "stdio", command, args }, foreign: ["url", "headers"] };
  }
  const owned = { type: "http", url: connection.url };
  const foreign = ["command", "args"];
  if (!connection.hasToken) return { owned, foreign: [...foreign, "headers"] };
  return { owned: { ...owned, headers: { Authorization: AUTHORIZATION } }, foreign };
}

/** Its file for all projects is one that it writes itself all the time, so only the project's is written. */
export const claudeCode: Client = {
  name: "claude-code",
  title: "Claude Code",
  aliases: ["claude"],
  reach: "http",
  isPrivate: false,
  files: (machine) => [pathsOf(machine).join(machine.cwd, ".mcp.json")],
  format: jsonFormat(form),
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "mcpServers"`,
  removalNote: "What was added with `claude mcp add` is removed with `claude mcp remove codex-swarm`.",
  notes(connection, machine): string[] {
    const target = connection.kind === "stdio" ? [SERVER_NAME, "--", connection.command, ...connection.args] : [
      ...["--transport", "http", SERVER_NAME, connection.url],
      ...(connection.hasToken ? ["--header", `Authorization: ${AUTHORIZATION}`] : []),
    ];
    return [
      "This holds for the project in this directory; Claude Code asks once whether the file is to be trusted. For all " +
      `projects, add it with Claude Code itself instead:\n  ${
        shellCommand(["claude", "mcp", "add", "--scope", "user", ...target], machine)
      }`,
    ];
  },
};
