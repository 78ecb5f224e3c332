/** The real Codex CLI as a person uses it: a client of this server that starts an agent and gives its answer as its own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { type MockModel, scripted, startMockModel } from "../helpers/mock_model.ts";
import { ensureRealCodex, makeCodexHome, realCodexEnvironment } from "../helpers/real_codex.ts";
import { denoDir } from "../helpers/real_swarm.ts";
import { MAIN } from "../helpers/server_process.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const APPROVED = 'default_tools_approval_mode = "approve"\n';

/** Codex offers all tools at once to a model that it does not know, and lets others search for them. */
const UNKNOWN = "of-my-own";

const ERRAND = scripted(
  { tool: { name: "codex_async", arguments: { prompt: "mock:say(forty-two)" } } },
  { find: '"task_id": ?"(\\w+)"', tool: { name: "codex_wait", arguments: { task_ids: ["{found}"] } } },
  { find: '"answer": ?"([^"]*)"', say: "It is {found}." },
);

const Event = z.looseObject({
  type: z.string(),
  item: z.looseObject({
    type: z.string(),
    text: z.string().optional(),
    tool: z.string().optional(),
    status: z.string().optional(),
    error: z.looseObject({ message: z.string() }).nullish(),
  }).optional(),
});

interface Bench extends AsyncDisposable {
  readonly model: MockModel;
  readonly home: string;
  readonly stateDir: string;
  readonly native: string;
  readonly env: Readonly<Record<string, string>>;
  readonly serverArguments: readonly string[];
  /** Runs a `codex exec` of a person on an errand, with what is given as its config.toml. */
  exec(config: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The prompts of agents that the model was asked. */
  agents(): string[];
}

interface Ended {
  /** The last thing that Codex said. */
  readonly answer: string | undefined;
  /** Of MCP. */
  readonly calls: readonly (readonly [tool: string | undefined, status: string | undefined])[];
  readonly errors: string;
}

async function makeBench(): Promise<Bench> {
  await using stack = new AsyncDisposableStack();
  const { native } = await ensureRealCodex();
  const model = stack.use(await startMockModel());
  const home = stack.use(makeCodexHome()).path;
  const stateDir = join(stack.use(await tempDirectory()).path, "state");
  const cwd = stack.use(await tempRepo()).path;
  const { env, serverArguments } = realCodexEnvironment({ model, home });
  const owned = stack.move();
  return {
    model,
    home,
    stateDir,
    native,
    env: { ...env, DENO_DIR: await denoDir() },
    serverArguments,
    async exec(config, more = {}): Promise<Ended> {
      await Deno.writeTextFile(join(home, "config.toml"), config);
      const { code, stdout, stderr } = await new Deno.Command(native, {
        args: ["exec", "--json", "--model", UNKNOWN, ...serverArguments, ERRAND],
        cwd,
        env: { ...env, ...more },
        clearEnv: true,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      assert.equal(code, 0, decoder.decode(stderr));
      const lines = decoder.decode(stdout).trimEnd().split("\n");
      const items = lines.map((line) => Event.parse(JSON.parse(line)))
        .flatMap(({ type, item }) => type === "item.completed" && item !== undefined ? [item] : []);
      const calls = items.filter(({ type }) => type === "mcp_tool_call");
      return {
        answer: items.findLast(({ type }) => type === "agent_message")?.text,
        calls: calls.map(({ tool, status }) => [tool, status]),
        errors: calls.map(({ error }) => error?.message ?? "").join("\n"),
      };
    },
    agents: () => model.requests.map(({ prompt }) => prompt).filter((prompt) => prompt !== ERRAND),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A config.toml that starts this program. */
function overStdio({ stateDir, native, env, serverArguments }: Bench): string {
  const args = ["run", "--quiet", ...RUN_FLAGS, MAIN, "--state-dir", stateDir, "--codex", native, ...serverArguments];
  const pairs = Object.entries(env).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `[mcp_servers.swarm]\ncommand = ${JSON.stringify(Deno.execPath())}\nargs = ${JSON.stringify(args)}\n` +
    `env = { ${pairs.join(", ")} }\nstartup_timeout_sec = 30\n`;
}

Deno.test("codex exec starts an agent over stdio, waits for it and gives its answer", async () => {
  await using bench = await makeBench();
  const { answer, calls, errors } = await bench.exec(`${overStdio(bench)}${APPROVED}`);
  assert.deepEqual(
    [answer, calls],
    ["It is forty-two.", [["codex_async", "completed"], ["codex_wait", "completed"]]],
    errors,
  );
  assert.deepEqual(bench.agents(), ["mock:say(forty-two)"]);
});

Deno.test("codex exec does the same over HTTP, with a token from its environment", async () => {
  await using bench = await makeBench();
  const { native, home, env, serverArguments } = bench;
  await using server = await startHttpServer({ codex: { path: native, home }, env, args: serverArguments });
  const config = `[mcp_servers.swarm]\nurl = ${JSON.stringify(server.url)}\nstartup_timeout_sec = 30\n` +
    `bearer_token_env_var = "CODEX_SWARM_TOKEN"\n${APPROVED}`;
  const refused = await bench.exec(config, { CODEX_SWARM_TOKEN: "not-the-token-of-the-server" });
  assert.deepEqual(refused.calls, []);
  const { answer, calls, errors } = await bench.exec(config, { CODEX_SWARM_TOKEN: server.token ?? "" });
  assert.deepEqual(
    [answer, calls],
    ["It is forty-two.", [["codex_async", "completed"], ["codex_wait", "completed"]]],
    errors,
  );
  assert.deepEqual(bench.agents(), ["mock:say(forty-two)"]);
});

Deno.test("codex exec refuses to start an agent that the user has not approved (control)", async () => {
  await using bench = await makeBench();
  const { answer, calls, errors } = await bench.exec(overStdio(bench));
  assert.deepEqual([answer, calls], ["It is nothing was found.", [["codex_async", "failed"], [
    "codex_wait",
    "completed",
  ]]]);
  assert.match(errors, /requires approval/);
  assert.deepEqual(bench.agents(), []);
  await assert.rejects(() => Deno.stat(join(bench.stateDir, "tasks")), Deno.errors.NotFound);
});

Deno.test("an agent that reaches the server over HTTP starts none of its own", async () => {
  await using bench = await makeBench();
  const { native, home, env, serverArguments } = bench;
  await using server = await startHttpServer({ codex: { path: native, home }, env, args: serverArguments });
  // Under an address that is not known as this server's: of one that is, agents have no tools at all.
  await using elsewhere = forward(Number(new URL(server.url).port));
  const headers = `{ Authorization = "Bearer ${server.token}" }`;
  const config = `[mcp_servers.swarm]\nurl = "http://127.0.0.1:${elsewhere.port}/mcp"\nhttp_headers = ${headers}\n` +
    APPROVED;
  await Deno.writeTextFile(join(home, "config.toml"), config);
  await using client = await server.connect();
  const { structured } = await client.call("codex", { prompt: ERRAND, model: UNKNOWN });
  assert.deepEqual([structured.status, structured.tools_called], ["completed", 2]);
  assert.match(JSON.stringify(bench.model.requests.at(-1)?.body.input), /Cannot start an agent from inside an agent/);
  assert.deepEqual(bench.agents(), []);
});

/** Passes connections on to another port of this machine. */
function forward(port: number): AsyncDisposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const from of listener) {
      const to = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(Promise.allSettled([from.readable.pipeTo(to.writable), to.readable.pipeTo(from.writable)]));
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose](): Promise<void> {
      listener.close();
      await accepting;
      await Promise.all(connections);
    },
  };
}
