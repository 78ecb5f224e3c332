/** The program itself, in a home of its own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import * as z from "zod";
import { RUN_FLAGS } from "../../../.github/scripts/run_flags.ts";
import { readText } from "../../helpers/client_yard.ts";
import { installFakeCodex } from "../../helpers/fake_codex.ts";
import { startHttpServer } from "../../helpers/http_server.ts";
import { MAIN, ServerProcess } from "../../helpers/server_process.ts";
import { namesIn, tempDirectory } from "../../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Place extends AsyncDisposable {
  readonly home: string;
  readonly project: string;
  run(...args: string[]): Promise<Ended>;
}

async function makePlace(env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const temp = await tempDirectory();
  const [home, project] = [join(temp.path, "home"), join(temp.path, "project")];
  await Deno.mkdir(home);
  await Deno.mkdir(project);
  const { PATH = "", DENO_DIR = "" } = Deno.env.toObject();
  const cache = DENO_DIR === "" ? await denoDirectory() : DENO_DIR;
  return {
    home,
    project,
    async run(...args): Promise<Ended> {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", ...RUN_FLAGS, MAIN, ...args],
        clearEnv: true,
        env: { PATH, HOME: home, DENO_DIR: cache, ...env },
        cwd: project,
        stdin: "null",
      }).output();
      const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll(temp.path, "");
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

/** Another home must not make Deno download its packages again. */
async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stdin: "null" }).output();
  return z.looseObject({ denoDir: z.string() }).parse(JSON.parse(new TextDecoder().decode(stdout))).denoDir;
}

const OWN = { command: Deno.execPath(), args: ["run", ...RUN_FLAGS, MAIN] };

Deno.test(
  { name: "codex-swarm install writes what clients read, and uninstall takes it out again", ignore },
  async () => {
    await using place = await makePlace();
    const config = join(place.home, ".codex", "config.toml");
    await Deno.mkdir(join(place.home, ".codex"));
    await Deno.writeTextFile(config, 'model = "m" # mine\n');
    const told = await place.run("install", "codex");
    assert.deepEqual([told.code, told.stderr], [0, ""]);
    assert.match(told.stdout, /^Added codex-swarm to \/home\/\.codex\/config\.toml\.\nWhat it held before is kept in /);
    const { model, mcp_servers: servers } = parseToml(await readText(config));
    const { command, args } = Object(servers)["codex-swarm"];
    assert.deepEqual([model, command, args], ["m", OWN.command, OWN.args]);
    assert.match((await place.run("install", "codex")).stdout, /^codex-swarm stands in \S+ already: nothing to do\.\n/);
    assert.equal((await place.run("uninstall", "codex")).code, 0);
    assert.equal(await readText(config), 'model = "m" # mine\n');

    assert.equal((await place.run("install", "claude")).code, 0);
    assert.deepEqual(JSON.parse(await readText(join(place.project, ".mcp.json"))), {
      mcpServers: { "codex-swarm": { type: "stdio", ...OWN } },
    });
    assert.equal((await place.run("uninstall", "claude-code")).code, 0);
    assert.deepEqual(namesIn(place.project), []);

    await Deno.mkdir(join(place.project, ".cursor"));
    assert.match(
      (await place.run("install", "cursor")).stdout,
      /^Added codex-swarm to \/project\/\.cursor\/mcp\.json\./,
    );
    assert.deepEqual(namesIn(place.home), [".codex"]);
  },
);

Deno.test({ name: "what codex-swarm install writes starts the server", ignore }, async () => {
  await using place = await makePlace();
  await using codex = await installFakeCodex();
  await place.run("install", "claude");
  const { mcpServers } = JSON.parse(await readText(join(place.project, ".mcp.json")));
  const { command, args } = mcpServers["codex-swarm"];
  const { PATH = "" } = Deno.env.toObject();
  // Anywhere, and under another home.
  await using server = new ServerProcess({
    command: [command, ...args],
    args: ["--codex", codex.path],
    env: { PATH, HOME: place.home, DENO_DIR: await denoDirectory() },
    cwd: place.project,
  });
  const answered = new Promise((resolve) => server.onmessage = resolve);
  await server.send({
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
  });
  await answered;
  const [{ result }] = z.tuple([z.looseObject({ result: z.unknown() })]).parse(server.received);
  assert.equal(Object(result).serverInfo.name, "codex-swarm");
});

Deno.test(
  { name: "codex-swarm install --http writes where the running server is called, and not its token", ignore },
  async () => {
    await using server = await startHttpServer();
    await using place = await makePlace();
    const told = await place.run("install", "--http", "claude", "--state-dir", server.stateDir);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, new RegExp(`\\nThe server that runs there is process ${server.pid}\\. `));
    assert.ok(told.stdout.includes(`The token stands in ${join(server.stateDir, "token")}. Claude Code takes it from`));
    const written = await readText(join(place.project, ".mcp.json"));
    assert.ok(server.token !== null && !written.includes(server.token) && !told.stdout.includes(server.token));

    const { url, headers } = JSON.parse(written).mcpServers["codex-swarm"];
    const authorization = headers.Authorization.replace("${CODEX_SWARM_TOKEN}", server.token);
    const ask = async (header: string): Promise<number> => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
      const sent = { "content-type": "application/json", accept: "application/json, text/event-stream" };
      const response = await fetch(url, { method: "POST", body, headers: { ...sent, authorization: header } });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await ask("Bearer wrong-token-of-somebody"), 401);
    assert.notEqual(await ask(authorization), 401);

    const usual = await place.run("install", "codex", "--http");
    assert.match(usual.stdout, /\nNo server runs there yet: start it with `codex-swarm --http`\.\n/);
    assert.match(usual.stdout, /The token stands in \/home\/\.local\/state\/codex-swarm\/token\./);
  },
);

Deno.test(
  { name: "codex-swarm install --http writes no header for a running server that asks for no token", ignore },
  async () => {
    await using server = await startHttpServer({ args: ["--no-token"] });
    await using place = await makePlace();
    const told = await place.run("install", "--http", "claude", "--state-dir", server.stateDir);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, /\nIt asks for no token: every program on this machine can call it\.\n/);
    assert.doesNotMatch(told.stdout, /CODEX_SWARM_TOKEN/);
    const written = JSON.parse(await readText(join(place.project, ".mcp.json")));
    assert.deepEqual(written.mcpServers["codex-swarm"], { type: "http", url: server.url });
  },
);

Deno.test({ name: "codex-swarm install says what cannot be done, by text and exit code", ignore }, async () => {
  await using place = await makePlace();
  const unknown = await place.run("install", "curser");
  assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
  assert.match(
    unknown.stderr,
    /^codex-swarm: Unknown client "curser": expected claude-code, .*; did you mean cursor\?\n$/,
  );
  const missing = await place.run("uninstall");
  assert.deepEqual([missing.code, missing.stdout], [2, ""]);
  assert.match(missing.stderr, /^codex-swarm: uninstall needs a client: /);

  await Deno.writeTextFile(join(place.project, ".mcp.json"), "{");
  const broken = await place.run("install", "claude");
  assert.deepEqual([broken.code, broken.stdout], [1, ""]);
  assert.match(
    broken.stderr,
    /^codex-swarm: Cannot change \/project\/\.mcp\.json: it is not JSON at line 1, column 2: /,
  );
  assert.deepEqual(namesIn(place.project), [".mcp.json"]);
  assert.equal((await place.run("install", "claude", "--print")).code, 0);
});

Deno.test({ name: "codex-swarm install works in the directory that `deno task` was called in", ignore }, async () => {
  await using place = await makePlace();
  const { PATH = "" } = Deno.env.toObject();
  const root = join(MAIN, "..");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", join(root, "deno.json"), "start", "install", "vscode"],
    clearEnv: true,
    env: { PATH, HOME: place.home, DENO_DIR: await denoDirectory() },
    cwd: place.project,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.deepEqual(namesIn(place.project), [".vscode"]);
});
