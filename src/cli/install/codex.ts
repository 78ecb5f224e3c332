import { type Client, type Connection, type Entry, pathsOf, SERVER_NAME, TOKEN_VARIABLE } from "./client.ts";
import { tomlFormat, tomlSnippet } from "./toml_format.ts";

const form = {
  servers: "mcp_servers",
  entry: entryOf,
  remarks: {
    tool_timeout_sec: "300 unless said, and progress does not prolong it",
    default_tools_approval_mode: "else codex exec refuses the tools that write",
  },
};

/** Codex refuses its whole configuration when a server has a key of the other kind. */
function entryOf(connection: Connection): Entry {
  const defaults = { startup_timeout_sec: 20, tool_timeout_sec: 3_600, default_tools_approval_mode: "approve" };
  if (connection.kind === "stdio") {
    const { command, args } = connection;
    const foreign = ["url", "bearer_token", "bearer_token_env_var", "http_headers", "env_http_headers"];
    return {
      owned: { command, args },
      defaults,
      foreign: [...foreign, "http_headers_helper", "auth", "oauth", "oauth_resource"],
    };
  }
  const { url, hasToken } = connection;
  const foreign = ["command", "args", "env", "env_vars", "cwd", "bearer_token"];
  if (!hasToken) return { owned: { url }, defaults, foreign: [...foreign, "bearer_token_env_var"] };
  return { owned: { url, bearer_token_env_var: TOKEN_VARIABLE }, defaults, foreign };
}

export const codex: Client = {
  name: "codex",
  title: "Codex",
  reach: "http",
  isPrivate: true,
  files: (machine) => [pathsOf(machine).join(machine.codexHome, "config.toml")],
  format: tomlFormat(form),
  snippet: (connection) => tomlSnippet(form, connection),
  where: `the table [mcp_servers.${SERVER_NAME}]`,
  notes(connection): string[] {
    const settings = [
      "tool_timeout_sec = 3600: Codex gives up a call after 300 s unless told otherwise, and progress does not prolong " +
      "that; a call of codex that is given up stops its agent.",
      'default_tools_approval_mode = "approve": the tools that start or stop agents say of themselves that they may ' +
      "change things and reach the network; without this line `codex exec`, which can ask nobody, refuses them.",
    ];
    return connection.kind === "http" ? settings : [
      ...settings,
      "Codex passes the server HOME, PATH and a few more variables. What agents need besides, such as CODEX_API_KEY or " +
      `CODEX_HOME, must stand in [mcp_servers.${SERVER_NAME}.env].`,
    ];
  },
};
