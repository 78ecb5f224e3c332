/** The real Codex as a client of this server: allowed to start agents, unless it is one of them itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { type MockModel, scripted, startMockModel } from "../helpers/mock_model.ts";
import { ensureRealCodex, makeCodexHome, realCodexEnvironment } from "../helpers/real_codex.ts";
import { denoDir, startRealSwarm } from "../helpers/real_swarm.ts";
import { MAIN } from "../helpers/server_process.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

interface OwnServer extends AsyncDisposable {
  readonly stateDir: string;
  /** A config.toml in which this program is an MCP server whose tools need no approval. */
  readonly config: string;
  /** Tells whether anybody started it. */
  wasStarted(): boolean;
}

/** Puts this program behind a script called `command`, on a state directory of its own. */
async function ownServer(
  command: string,
  { model, home }: { readonly model: MockModel; readonly home: string },
): Promise<OwnServer> {
  const directory = await tempDirectory();
  const { native } = await ensureRealCodex();
  const { env, serverArguments } = realCodexEnvironment({ model, home });
  const stateDir = join(directory.path, "state");
  const trace = join(directory.path, "started");
  const exports = Object.entries({ ...env, DENO_DIR: await denoDir() }).map(([name, value]) =>
    `export ${name}=${quote(value)}`
  );
  const program = [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN];
  const words = [...program, "--state-dir", stateDir, "--codex", native, ...serverArguments].map(quote);
  const path = join(directory.path, command);
  writeExecutable(path, ["#!/bin/sh", `: >${trace}`, ...exports, `exec ${words.join(" ")}`, ""].join("\n"));
  return {
    stateDir,
    config: `[mcp_servers.helper]\ncommand = ${JSON.stringify(path)}\nstartup_timeout_sec = 30\n` +
      'default_tools_approval_mode = "approve"\n',
    wasStarted: () => [...Deno.readDirSync(directory.path)].some(({ name }) => name === "started"),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** What a model in code mode does to start an agent through the server and to wait for it. */
const BREED = scripted({
  code: `const started = await tools.mcp__helper__codex_async({ prompt: "mock:say(offspring)" });
text(JSON.stringify(started));
const id = started.structuredContent?.task_id;
if (id !== undefined) text(JSON.stringify(await tools.mcp__helper__codex_wait({ task_ids: [id] })));`,
}, { say: "bred" });

/** What came back to the model from its code. */
function results(model: MockModel): string {
  return JSON.stringify(model.requests.at(-1)?.body.input.at(-1));
}

for (const place of ["its own state directory", "another state directory"]) {
  Deno.test(`a real agent that reaches this server on ${place} is refused an agent of its own`, async () => {
    await using model = await startMockModel();
    await using home = makeCodexHome();
    await using own = await ownServer("helper.sh", { model, home: home.path });
    const stateDir = place.startsWith("another") ? {} : { stateDir: own.stateDir };
    await using swarm = await startRealSwarm({ model, home: home.path, config: own.config, ...stateDir });
    const { structured } = await swarm.call("codex", { prompt: BREED });
    assert.deepEqual([structured.content, structured.tools_called, own.wasStarted()], ["bred", 1, true]);
    assert.match(results(model), /Cannot start an agent from inside an agent/);
    const events = await Deno.readTextFile(structured.events_file);
    assert.match(events, /"type":"mcp_tool_call".*"tool":"codex_async".*"status":"failed"/);
    assert.equal((await swarm.resource("tasks")).length, 1);
    assert.deepEqual(model.requests.filter(({ prompt }) => prompt === "mock:say(offspring)"), []);
  });
}

Deno.test("a real agent does without the server's own entry in config.toml", async () => {
  await using model = await startMockModel();
  await using home = makeCodexHome();
  await using own = await ownServer("codex-swarm", { model, home: home.path });
  await using swarm = await startRealSwarm({ model, home: home.path, stateDir: own.stateDir, config: own.config });
  const { structured } = await swarm.call("codex", { prompt: BREED });
  assert.deepEqual([structured.content, structured.tools_called, own.wasStarted()], ["bred", 0, false]);
  assert.match(results(model), /mcp__helper__codex_async is not a function/);
});

Deno.test("a real agent does without a server of its own state that listens", async () => {
  await using model = await startMockModel();
  await using home = makeCodexHome();
  const { native } = await ensureRealCodex();
  const { env, serverArguments } = realCodexEnvironment({ model, home: home.path });
  await using server = await startHttpServer({
    codex: { path: native, home: home.path },
    env: { ...env, DENO_DIR: await denoDir() },
    args: ["--no-token", ...serverArguments],
  });
  const { port } = new URL(server.url);
  const config = (name: string): string =>
    `[mcp_servers.${name}]\nurl = "http://localhost:${port}/mcp"\ndefault_tools_approval_mode = "approve"\n`;
  // One on another state knows nothing of where it listens: its agent gets at the tools.
  await using stranger = await startRealSwarm({ model, home: home.path, config: config("helper") });
  assert.equal((await stranger.call("codex", { prompt: BREED })).structured.tools_called > 0, true);

  await using swarm = await startRealSwarm({ model, home: home.path, stateDir: server.stateDir });
  const { structured } = await swarm.call("codex", { prompt: BREED });
  assert.deepEqual([structured.content, structured.tools_called], ["bred", 0]);
  assert.match(results(model), /mcp__helper__codex_async is not a function/);
});

Deno.test("a real Codex that is nobody's agent starts one and gets its answer", async () => {
  await using model = await startMockModel();
  await using home = makeCodexHome();
  await using own = await ownServer("helper.sh", { model, home: home.path });
  await using repo = await tempRepo();
  await Deno.writeTextFile(join(home.path, "config.toml"), own.config);
  const { native } = await ensureRealCodex();
  const { env, serverArguments } = realCodexEnvironment({ model, home: home.path });
  const { code, stdout } = await new Deno.Command(native, {
    args: ["exec", "--json", ...serverArguments, BREED],
    cwd: repo.path,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => Event.parse(JSON.parse(line)));
  const calls = lines.flatMap(({ type, item }) =>
    type === "item.completed" && item?.type === "mcp_tool_call" ? [[item.tool, item.status]] : []
  );
  assert.deepEqual([code, calls], [0, [["codex_async", "completed"], ["codex_wait", "completed"]]]);
  assert.match(results(model), /offspring/);
  assert.equal(model.requests.filter(({ prompt }) => prompt === "mock:say(offspring)").length, 1);
});

const Event = z.looseObject({
  type: z.string(),
  item: z.looseObject({ type: z.string(), tool: z.string().optional(), status: z.string().optional() }).optional(),
});
