import { type Client, configDirectory, type Connection, pathsOf, SERVER_NAME, TOKEN_VARIABLE } from "./client.ts";

export const goose: Client = {
  name: "goose",
  title: "Goose",
  reach: "http",
  isPrivate: true,
  files(machine): string[] {
    const folders = machine.os === "windows" ? ["Block", "goose", "config"] : ["goose"];
    return [pathsOf(machine).join(configDirectory(machine), ...folders, "config.yaml")];
  },
  snippet: (connection) =>
    [
      "extensions:",
      `  ${SERVER_NAME}:`,
      ...["enabled: true", `name: ${SERVER_NAME}`, ...settings(connection), "timeout: 3600"].map((line) =>
        `    ${line}`
      ),
    ].join("\n"),
  where: `${SERVER_NAME} in extensions`,
  notes: () => [],
};

/** What is JSON is YAML too. */
function settings(connection: Connection): string[] {
  if (connection.kind === "stdio") {
    return ["type: stdio", `cmd: ${JSON.stringify(connection.command)}`, `args: ${JSON.stringify(connection.args)}`];
  }
  return [
    "type: streamable_http",
    `uri: ${JSON.stringify(connection.url)}`,
    ...(connection.hasToken
      ? [`env_keys: [${TOKEN_VARIABLE}]`, `headers: { Authorization: "Bearer \${${TOKEN_VARIABLE}}" }`]
      : []),
  ];
}
