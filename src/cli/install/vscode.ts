import { type Client, type Connection, type Entry, pathsOf, SERVER_NAME } from "./client.ts";
import { jsonFormat, jsonSnippet } from "./json_format.ts";

const TOKEN_INPUT = "codex-swarm-token";
const form = {
  servers: "servers",
  entry: entryOf,
  input: {
    list: "inputs",
    item: { type: "promptString", id: TOKEN_INPUT, description: "The token of codex-swarm", password: true },
  },
};

function entryOf(connection: Connection): Entry {
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    return { owned: { type: "stdio", command, args }, foreign: ["url", "headers"] };
  }
  const owned = { type: "http", url: connection.url };
  const foreign = ["command", "args"];
  if (!connection.hasToken) return { owned, foreign: [...foreign, "headers"] };
  return { owned: { ...owned, headers: { Authorization: `Bearer \${input:${TOKEN_INPUT}}` } }, foreign };
}

export const vscode: Client = {
  name: "vscode",
  title: "VS Code",
  aliases: ["code", "vs-code"],
  reach: "http and sockets",
  isPrivate: false,
  files: (machine) => [pathsOf(machine).join(machine.cwd, ".vscode", "mcp.json")],
  format: jsonFormat(form),
  snippet: (connection) => jsonSnippet(form, connection),
  where: `"${SERVER_NAME}" in "servers"`,
  notes: (connection) =>
    connection.kind === "http" && connection.hasToken
      ? ["VS Code asks for the token when it first starts the server, and keeps it."]
      : [],
};
