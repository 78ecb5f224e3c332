import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FakeCodex, installFakeCodex } from "./helpers/fake_codex.ts";
import { startHttpServer } from "./helpers/http_server.ts";
import { MAIN } from "./helpers/server_process.ts";
import { startSwarm, type Swarm } from "./helpers/swarm.ts";
import { waitForTask } from "./helpers/tasks.ts";

const REFUSED = /^Cannot start an agent from inside an agent: .*--max-depth/;
// The agent's command is one for a POSIX shell.
const ignore = Deno.build.os === "windows";
const CLIENT = fileURLToPath(new URL("fixtures/agents_own_client.ts", import.meta.url));

/** Starts an agent that holds until the end of the test, and gives the id of its thread. */
async function startHolding(
  swarm: Swarm,
  meta: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly taskId: string; readonly threadId: string }> {
  const started = await swarm.call("codex_async", { prompt: "fake:hold(never)" }, { meta });
  assert.equal(started.isError, false, started.text);
  const taskId = started.structured.task_id;
  const { thread_id: threadId } = await waitForTask(swarm, taskId, (task) => task.thread_id !== undefined);
  return { taskId, threadId };
}

async function cancelAll(swarm: Swarm, ...tasks: readonly { readonly taskId: string }[]): Promise<void> {
  await Promise.all(tasks.map(({ taskId }) => swarm.call("codex_cancel", { task_id: taskId })));
}

Deno.test("a call is counted one level below the agent that makes it", async (t) => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await t.step("a call that comes from an agent's own thread is refused and starts nothing", async () => {
    const agent = await startHolding(swarm);
    for (const tool of ["codex", "codex_async"]) {
      const { text, isError } = await swarm.call(tool, { prompt: "breed" }, { meta: { threadId: agent.threadId } });
      assert.match(text, REFUSED);
      assert.equal(isError, true);
    }
    const reply = await swarm.call("codex_reply", { threadId: agent.threadId, prompt: "breed" }, {
      meta: { threadId: agent.threadId },
    });
    assert.match(reply.text, REFUSED);
    assert.equal(codex.ledger().length, 1);
    await cancelAll(swarm, agent);
  });

  await t.step("a call from somebody else's thread is served", async () => {
    const meta = { threadId: "01a1f744-634e-71b1-a39a-93788d7eea39" };
    assert.equal((await swarm.call("codex", { prompt: "fake:say(hello)" }, { meta })).isError, false);
  });
});

Deno.test("--max-depth 2 lets agents start agents, and those none", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-depth", "2"] });
  const agent = await startHolding(swarm);
  const below = await startHolding(swarm, { threadId: agent.threadId });
  const { text, isError } = await swarm.call("codex", { prompt: "breed" }, { meta: { threadId: below.threadId } });
  assert.match(text, REFUSED);
  assert.equal(isError, true);
  assert.equal(codex.ledger().length, 2);
  await cancelAll(swarm, agent, below);
});

/** Lets an agent's shell command start a server on the same state and call `codex` there; gives what came of it. */
async function callFromBelow(
  swarm: Swarm,
  { prefix, flags }: { readonly prefix: string; readonly flags: string },
): Promise<{ readonly text: string; readonly isError: boolean; readonly markers: number }> {
  const name = crypto.randomUUID();
  const { stateDir, codex } = swarm;
  // The fake has a DENO_DIR of its own, in which the client's packages are missing.
  const denoDir = Deno.env.get("DENO_DIR") === undefined ? "-u DENO_DIR" : "";
  const words = ["exec env", prefix, denoDir, Deno.execPath(), "run -A --quiet", CLIENT];
  const command = [...words, stateDir, codex.path, codex.home, flags].filter((word) => word !== "").join(" ");
  const { structured } = await swarm.call("codex", { prompt: `fake:run(${command} >${name}.json 2>${name}.txt)` });
  assert.equal(structured.status, "completed");
  const answer = await Deno.readTextFile(join(swarm.cwd, `${name}.json`));
  assert.notEqual(answer, "", await Deno.readTextFile(join(swarm.cwd, `${name}.txt`)));
  return JSON.parse(answer);
}

const UNMARKED = "-u CODEX_SWARM_TASK_ID -u CODEX_SWARM_DEPTH";
const UNGUARDED = "--max-depth 10";

Deno.test({
  name: "a server that an agent's command started is refused, by its marker or else by its ancestor processes",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex });
    const [marked, unmarked, ...controls] = await Promise.all([
      callFromBelow(swarm, { prefix: "", flags: "" }),
      callFromBelow(swarm, { prefix: UNMARKED, flags: "" }),
      // Without the guard the same calls are served.
      callFromBelow(swarm, { prefix: "", flags: UNGUARDED }),
      callFromBelow(swarm, { prefix: UNMARKED, flags: UNGUARDED }),
    ]);
    assert.deepEqual([marked?.isError, marked?.markers], [true, 2]);
    assert.match(marked?.text ?? "", REFUSED);
    assert.deepEqual([unmarked?.isError, unmarked?.markers], [true, 0]);
    assert.match(unmarked?.text ?? "", REFUSED);
    assert.deepEqual(controls.map(({ text }) => text.split("\n")[0]), ["from below", "from below"]);
    // Four agents that asked, and the two that were started for them.
    assert.equal(codex.ledger().length, 6);
  },
});

Deno.test("agents get every MCP server that is configured but this one, however it is spelled", async () => {
  await using codex = await installFakeCodex();
  const own = {
    bare: 'command = "codex-swarm"',
    by_path: 'command = "/opt/tools/codex-swarm"\nargs = ["mcp-server"]',
    by_deno: `command = "deno"\nargs = ["run", "-P", ${JSON.stringify(MAIN)}]`,
    by_npx: `command = "npx"\nargs = ["-y", "deno@2.9.6", "run", ${JSON.stringify(MAIN)}]`,
    by_uvx: 'command = "uvx"\nargs = ["codex-mcp-swarm@1.11.0"]',
    other_predecessor: 'command = "uvx"\nargs = ["codex-as-mcp@latest"]',
    by_file: 'command = "python3"\nargs = ["/opt/codex_mcp_swarm.py"]',
    as_module: 'command = "uv"\nargs = ["run", "python", "-m", "codex_as_mcp"]',
  };
  const others = {
    docs: 'command = "docs-server"',
    looks_alike: 'command = "codex-swarm-docs"',
    remote: 'url = "https://example.com/mcp"',
  };
  await configure(codex, { ...own, ...others });
  await using swarm = await startSwarm({ codex });
  assert.deepEqual(await switchedOff(swarm), switches(own));
});

Deno.test("agents get no MCP server that is a swarm over HTTP, be it their own or another one on its state", async () => {
  await using codex = await installFakeCodex();
  await using server = await startHttpServer({ codex });
  const { port } = new URL(server.url);
  const own = {
    as_printed: `url = "${server.url}"`,
    by_another_name: `url = "http://localhost:${port}/mcp"\nbearer_token_env_var = "CODEX_SWARM_TOKEN"`,
    "codex-swarm": 'url = "https://swarm.example.com/mcp"',
    by_bridge: `command = "npx"\nargs = ["-y", "mcp-remote", "http://localhost:${port}/mcp"]`,
  };
  const others = {
    of_another_port: 'url = "http://127.0.0.1:9/mcp"',
    of_another_host: `url = "http://example.com:${port}/mcp"`,
  };
  await configure(codex, { ...own, ...others });
  await using client = await server.connect();
  await using beside = await startSwarm({ codex, stateDir: server.stateDir });
  for (const swarm of [client, beside]) assert.deepEqual(await switchedOff(swarm), switches(own));
});

/** Writes a config.toml with the bodies of the servers' tables. */
async function configure({ home }: FakeCodex, servers: Readonly<Record<string, string>>): Promise<void> {
  const tables = Object.entries(servers).map(([name, body]) => `[mcp_servers.${name}]\n${body}\n`);
  await Deno.writeTextFile(join(home, "config.toml"), tables.join("\n"));
}

/** What an agent is told of MCP servers, in order. */
async function switchedOff(swarm: Pick<Swarm, "call">): Promise<string[]> {
  const { structured } = await swarm.call("codex", { prompt: "fake:echo_args" });
  const { args } = JSON.parse(structured.content);
  return args.filter((arg: string) => arg.startsWith("mcp_servers")).sort();
}

function switches(servers: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(servers).map((name) => `mcp_servers.${name}.enabled=false`).sort();
}
