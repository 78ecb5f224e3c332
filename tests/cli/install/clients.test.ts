import assert from "node:assert/strict";
import { parse as parseToml } from "smol-toml";
import type { Machine } from "../../../src/cli/install/client.ts";
import { clientNames, clients } from "../../../src/cli/install/clients.ts";
import { clientYard, COMPILED, FROM_SOURCE, RUNNING, USUAL } from "../../helpers/client_yard.ts";

const LINUX: Machine = {
  os: "linux",
  env: {},
  home: "/home/u",
  cwd: "/project",
  codexHome: "/home/u/.codex",
  isDirectory: () => false,
};
const MAC: Machine = { ...LINUX, os: "darwin", home: "/Users/u", codexHome: "/Users/u/.codex" };
const WINDOWS: Machine = {
  ...LINUX,
  os: "windows",
  env: { APPDATA: "D:\\Roaming" },
  home: "C:\\Users\\u",
  cwd: "C:\\project",
  codexHome: "C:\\Users\\u\\.codex",
};

/** On Linux, macOS and Windows. */
const places: Readonly<Record<string, readonly [string, string, string]>> = {
  "claude-code": ["/project/.mcp.json", "/project/.mcp.json", "C:\\project\\.mcp.json"],
  codex: ["/home/u/.codex/config.toml", "/Users/u/.codex/config.toml", "C:\\Users\\u\\.codex\\config.toml"],
  cursor: ["/home/u/.cursor/mcp.json", "/Users/u/.cursor/mcp.json", "C:\\Users\\u\\.cursor\\mcp.json"],
  vscode: ["/project/.vscode/mcp.json", "/project/.vscode/mcp.json", "C:\\project\\.vscode\\mcp.json"],
  "claude-desktop": [
    "/home/u/.config/Claude/claude_desktop_config.json",
    "/Users/u/Library/Application Support/Claude/claude_desktop_config.json",
    "D:\\Roaming\\Claude\\claude_desktop_config.json",
  ],
  windsurf: [
    "/home/u/.codeium/windsurf/mcp_config.json",
    "/Users/u/.codeium/windsurf/mcp_config.json",
    "C:\\Users\\u\\.codeium\\windsurf\\mcp_config.json",
  ],
  zed: ["/home/u/.config/zed/settings.json", "/Users/u/.config/zed/settings.json", "D:\\Roaming\\Zed\\settings.json"],
  gemini: ["/home/u/.gemini/settings.json", "/Users/u/.gemini/settings.json", "C:\\Users\\u\\.gemini\\settings.json"],
  goose: [
    "/home/u/.config/goose/config.yaml",
    "/Users/u/.config/goose/config.yaml",
    "D:\\Roaming\\Block\\goose\\config\\config.yaml",
  ],
  opencode: [
    "/home/u/.config/opencode/opencode.json",
    "/Users/u/.config/opencode/opencode.json",
    "C:\\Users\\u\\.config\\opencode\\opencode.json",
  ],
};

Deno.test("every client's file lies where the client looks for it, on each system", () => {
  const found = clients.map((
    client,
  ) => [client.name, [LINUX, MAC, WINDOWS].map((machine) => client.files(machine)[0])]);
  assert.deepEqual(Object.fromEntries(found), places);
});

Deno.test("files move with the variables that move them", () => {
  const zed = clientNames.get("zed");
  const goose = clientNames.get("goose");
  assert.deepEqual(zed?.files({ ...LINUX, env: { XDG_CONFIG_HOME: "/x" } }), ["/x/zed/settings.json"]);
  assert.deepEqual(zed?.files({ ...LINUX, env: { XDG_CONFIG_HOME: "x" } }), ["/home/u/.config/zed/settings.json"]);
  assert.deepEqual(goose?.files({ ...WINDOWS, env: {} }), [
    "C:\\Users\\u\\AppData\\Roaming\\Block\\goose\\config\\config.yaml",
  ]);
  assert.deepEqual(clientNames.get("codex")?.files({ ...LINUX, codexHome: "/c" }), ["/c/config.toml"]);
});

Deno.test("Cursor's file is the project's where it has one", async () => {
  const isDirectory = (path: string): boolean => path === "/project/.cursor";
  assert.deepEqual(clientNames.get("cursor")?.files({ ...LINUX, isDirectory }), [
    "/project/.cursor/mcp.json",
    "/home/u/.cursor/mcp.json",
  ]);
  await using yard = await clientYard();
  const machine = { ...yard.machine, isDirectory: () => true };
  await yard.install("cursor");
  assert.match(
    (await yard.install("cursor", { machine })).output,
    /^Added codex-swarm to \/project\/\.cursor\/mcp\.json/,
  );
  assert.match((await yard.uninstall("cursor")).output, /^Removed \/home\/\.cursor\/mcp\.json/);
});

Deno.test("every client has its names", () => {
  const aliases = { claude: "claude-code", code: "vscode", "vs-code": "vscode", "gemini-cli": "gemini" };
  const expected = { ...Object.fromEntries(clients.map(({ name }) => [name, name])), ...aliases };
  assert.deepEqual(Object.fromEntries([...clientNames].map(([word, { name }]) => [word, name])), expected);
});

/** What is shown to be added, as data where it is JSON or TOML. */
async function shown(client: string, isHttp: boolean): Promise<unknown> {
  await using yard = await clientYard();
  const { output } = await yard.install(client, {
    address: isHttp ? USUAL : null,
    endpoints: [RUNNING],
    isPrint: true,
  });
  const connection = isHttp ? { kind: "http", url, hasToken: true } as const : { kind: "stdio", ...COMMAND } as const;
  const snippet = clientNames.get(client)?.snippet(connection) ?? "";
  const place = clientNames.get(client)?.files(yard.machine)[0]?.replace(yard.path, "");
  assert.ok(output.startsWith(`Add this to ${place}, beside what is there:\n\n${snippet}\n`), output);
  if (snippet.startsWith("{")) return JSON.parse(snippet);
  return snippet.startsWith("[") ? JSON.parse(JSON.stringify(parseToml(snippet))) : snippet;
}

const COMMAND = { command: COMPILED.execPath, args: [] };
const { url } = RUNNING;
const BEARER = "Bearer ${CODEX_SWARM_TOKEN}";
const CODEX_SETTINGS = { startup_timeout_sec: 20, tool_timeout_sec: 3_600, default_tools_approval_mode: "approve" };

/** Started by the client, and called over HTTP. */
const snippets: Readonly<Record<string, readonly [unknown, unknown]>> = {
  "claude-code": [
    { mcpServers: { "codex-swarm": { type: "stdio", ...COMMAND } } },
    { mcpServers: { "codex-swarm": { type: "http", url, headers: { Authorization: BEARER } } } },
  ],
  codex: [
    { mcp_servers: { "codex-swarm": { ...COMMAND, ...CODEX_SETTINGS } } },
    { mcp_servers: { "codex-swarm": { url, bearer_token_env_var: "CODEX_SWARM_TOKEN", ...CODEX_SETTINGS } } },
  ],
  cursor: [
    { mcpServers: { "codex-swarm": { type: "stdio", ...COMMAND } } },
    { mcpServers: { "codex-swarm": { url, headers: { Authorization: "Bearer ${env:CODEX_SWARM_TOKEN}" } } } },
  ],
  vscode: [
    { servers: { "codex-swarm": { type: "stdio", ...COMMAND } } },
    {
      inputs: [
        { type: "promptString", id: "codex-swarm-token", description: "The token of codex-swarm", password: true },
      ],
      servers: {
        "codex-swarm": { type: "http", url, headers: { Authorization: "Bearer ${input:codex-swarm-token}" } },
      },
    },
  ],
  windsurf: [
    { mcpServers: { "codex-swarm": COMMAND } },
    {
      mcpServers: { "codex-swarm": { serverUrl: url, headers: { Authorization: "Bearer ${env:CODEX_SWARM_TOKEN}" } } },
    },
  ],
  zed: [
    { context_servers: { "codex-swarm": { source: "custom", ...COMMAND, env: {}, timeout: 600 } } },
    { context_servers: { "codex-swarm": { url, headers: { Authorization: "Bearer TOKEN" }, timeout: 600 } } },
  ],
  gemini: [
    { mcpServers: { "codex-swarm": { ...COMMAND, timeout: 3_600_000 } } },
    { mcpServers: { "codex-swarm": { httpUrl: url, headers: { Authorization: BEARER }, timeout: 3_600_000 } } },
  ],
  goose: [
    'extensions:\n  codex-swarm:\n    enabled: true\n    name: codex-swarm\n    type: stdio\n    cmd: "/opt/swarm/codex-swarm"\n' +
    "    args: []\n    timeout: 3600",
    "extensions:\n  codex-swarm:\n    enabled: true\n    name: codex-swarm\n    type: streamable_http\n" +
    '    uri: "http://127.0.0.1:7077/mcp"\n    env_keys: [CODEX_SWARM_TOKEN]\n' +
    '    headers: { Authorization: "Bearer ${CODEX_SWARM_TOKEN}" }\n    timeout: 3600',
  ],
  opencode: [
    { mcp: { "codex-swarm": { type: "local", command: [COMPILED.execPath], enabled: true, timeout: 60_000 } } },
    {
      mcp: {
        "codex-swarm": {
          type: "remote",
          url,
          enabled: true,
          headers: { Authorization: "Bearer {env:CODEX_SWARM_TOKEN}" },
          timeout: 60_000,
        },
      },
    },
  ],
};

for (const [client, [stdio, http]] of Object.entries(snippets)) {
  Deno.test(`install ${client} --print shows the client's own form and writes nothing`, async () => {
    assert.deepEqual(await shown(client, false), stdio);
    assert.deepEqual(await shown(client, true), http);
    await using yard = await clientYard();
    await yard.install(client, { isPrint: true });
    assert.deepEqual([...Deno.readDirSync(yard.machine.home)], []);
    assert.deepEqual([...Deno.readDirSync(yard.machine.cwd)], []);
  });
}

Deno.test("install of a client whose file is not written shows the same without --print", async () => {
  await using yard = await clientYard();
  for (const { name } of clients.filter(({ format }) => format === undefined)) {
    const told = await yard.install(name, { program: FROM_SOURCE });
    assert.deepEqual(told, await yard.install(name, { program: FROM_SOURCE, isPrint: true }));
    assert.equal(told.exitCode, 0);
    assert.match(told.output, /--deny-import/);
    assert.match((await yard.uninstall(name)).output, /^Remove "?codex-swarm"? (in|from) /);
  }
  assert.deepEqual([...Deno.readDirSync(yard.machine.home)], []);
});

Deno.test("install says what a client makes necessary", async () => {
  await using yard = await clientYard();
  const told = async (client: string, isHttp = false): Promise<string> =>
    (await yard.install(client, { address: isHttp ? USUAL : null, isPrint: true })).output;
  assert.match(await told("codex"), /gives up a call after 300 s.*\n\n.*"approve": .*`codex exec`.* refuses them/);
  assert.match(await told("codex"), /CODEX_API_KEY or CODEX_HOME, must stand in \[mcp_servers\.codex-swarm\.env\]/);
  assert.match(
    await told("claude-code"),
    /\n {2}claude mcp add --scope user codex-swarm -- \/opt\/swarm\/codex-swarm\n/,
  );
  assert.match(
    await told("claude-code", true),
    /\n {2}claude mcp add --scope user --transport http codex-swarm \S+ --header 'Authorization: Bearer \$\{CODEX_SWARM_TOKEN\}'\n/,
  );
  assert.match(await told("gemini"), /TOKEN, KEY, SECRET, AUTH.*"env": \{ "CODEX_API_KEY": "\$CODEX_API_KEY" \}/);
  assert.match(await told("zed", true), /the token itself has to take the place of TOKEN/);
  assert.match((await yard.uninstall("claude", { isPrint: true })).output, /claude mcp remove codex-swarm/);
});

const OWN_KEYS = ["cwd", "env", "env_vars", "mine"];

/** What an entry keeps of what a user has added, when its client is to call a server instead of starting it. */
for (
  const [name, kept] of Object.entries({
    "claude-code": ["cwd", "env", "mine"],
    cursor: ["cwd", "env", "mine"],
    vscode: ["cwd", "env", "mine"],
    codex: ["mine"],
  })
) {
  Deno.test(`an entry of ${name} has nothing left that the other way of reaching a server had alone`, () => {
    const format = clients.find((one) => one.name === name)?.format;
    assert.ok(format !== undefined);
    const own = { cwd: "/c", env: { B: "b" }, mine: 1 };
    const json = { "codex-swarm": { command: "x", args: ["main.ts", "-c", "a=1"], ...own } };
    const before = name === "codex"
      ? '[mcp_servers.codex-swarm]\ncommand = "x"\nargs = ["main.ts", "-c", "a=1"]\ncwd = "/c"\nenv_vars = ["A"]\n' +
        'mine = 1\n[mcp_servers.codex-swarm.env]\nB = "b"\n'
      : JSON.stringify({ [name === "vscode" ? "servers" : "mcpServers"]: json });
    const http = format.add(before, { kind: "http", url: "http://127.0.0.1:7077/mcp", hasToken: true });
    const keys = (text: string, among: readonly string[]): string[] =>
      among.filter((key) => key in (format.read(text) ?? {}));
    assert.deepEqual([keys(http, OWN_KEYS), keys(http, ["command", "args"])], [kept, []]);
    const stdio = format.add(http, { kind: "stdio", command: "y", args: ["main.ts"] });
    assert.deepEqual([keys(stdio, OWN_KEYS), keys(stdio, ["url", "headers", "bearer_token_env_var"])], [kept, []]);
  });
}
