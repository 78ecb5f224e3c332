/** Defects of codex-as-mcp in how it ran agents and passed on what they said; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { errorOf } from "../helpers/agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { listProcesses } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

/** What `fake:echo_args` tells. */
interface Echo {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly stdin_bytes: number;
  readonly stdin_sha256: string;
}

async function echoOf({ output_file }: { readonly output_file: string }): Promise<Echo> {
  return JSON.parse(await Deno.readTextFile(output_file));
}

for (const version of ["0.144.6", "0.169.0"]) {
  Deno.test(`A1: an agent starts on Codex ${version}, whatever flags that version has`, async () => {
    await using codex = await installFakeCodex({ version });
    await using swarm = await startSwarm({ codex });
    const { structured, isError } = await swarm.call("spawn_agent", { prompt: "fake:echo_args" });
    assert.equal(isError, false);
    const { args } = await echoOf(structured);
    assert.ok(!args.includes("--full-auto"));
    assert.equal(args[args.indexOf("-s") + 1], "workspace-write");
  });
}

Deno.test("agents get their prompt whole and nothing else, and give their answer whole", async (t) => {
  await using swarm = await startSwarm();
  await t.step("A2: an agent reads its prompt and no byte of the server's own input", async () => {
    const prompt = "fake:hold(go) fake:echo_args";
    const running = swarm.call("spawn_agent", { prompt });
    // Each of these would be lost to an agent that read them.
    for (let index = 0; index < 20; index++) await swarm.client.ping();
    await release(swarm, "go");
    const { stdin_bytes, stdin_sha256 } = await echoOf((await running).structured);
    assert.deepEqual([stdin_bytes, stdin_sha256], [
      prompt.length,
      createHash("sha256").update(prompt).digest("hex"),
    ]);
  });

  await t.step("A3: a line of a megabyte is read as any other", async () => {
    const { structured } = await swarm.call("spawn_agent", { prompt: "fake:huge(1000000) fake:say(done)" });
    assert.match(structured.result, /^done\n/);
    assert.ok((await Deno.readTextFile(structured.log_file + ".1")).includes(` stdout: ${"x".repeat(1_000_000)}\n`));
  });

  await t.step("A15: a prompt may be long, begin with a dash, and is in no process's arguments", async () => {
    const marker = crypto.randomUUID();
    const prompt = `--model ${marker} fake:hold(stop) fake:echo_args ${"x".repeat(300_000)}`;
    const running = swarm.call("spawn_agent", { prompt });
    await waitFor(async () => (await swarm.call("list_running_agents")).structured.agents[0]?.thread_id, {
      message: "the agent to run",
    });
    assert.deepEqual((await listProcesses()).filter(({ command }) => command.includes(marker)), []);
    await release(swarm, "stop");
    const { structured } = await running;
    assert.equal((await echoOf(structured)).stdin_bytes, prompt.length);

    // A25: not in the log either, nor its environment, and nobody else reads that.
    const log = await Deno.readTextFile(structured.log_file);
    assert.equal(JSON.parse(log.split("\n")[0] ?? "").context.prompt_preview.length, 160);
    assert.ok(!log.includes("x".repeat(161)));
    if (!ignore) assert.equal(((await Deno.stat(structured.log_file)).mode ?? 0) & 0o777, 0o600);
  });

  await t.step("A18: the answer stays in a file, and its whole in the log", async () => {
    const answer = Array.from({ length: 500 }, (_, line) => `line ${line} of the answer`).join("\n");
    const { text, structured } = await swarm.call("spawn_agent", { prompt: `fake:say(${answer})` });
    assert.match(text, /\[Output truncated: \d+ chars total, showing first 4000\. See full output in log file\]/);
    assert.equal(await Deno.readTextFile(structured.output_file), answer);
    const log = await Deno.readTextFile(structured.log_file);
    const said = [...log.matchAll(/ stdout: (line \d+ of the answer)$/gm)].map(([, line]) => line);
    assert.equal(said.join("\n"), answer);
  });

  await t.step("A13: thread, tokens, tools and changed files are told, and the thread goes on", async () => {
    const prompt = "fake:run(true) fake:write(a.txt) fake:say(remember 7)";
    const { structured } = await swarm.call("spawn_agent", { prompt });
    const { thread_id, usage, tools_called, files_changed } = structured;
    assert.deepEqual([usage.this_task.input_tokens, tools_called], [100, 1]);
    assert.deepEqual(files_changed, [{ path: join(swarm.cwd, "a.txt"), kind: "add" }]);
    const reply = await swarm.call("codex_reply", { threadId: thread_id, prompt: "fake:say(still here)" });
    assert.deepEqual([reply.structured.content, reply.structured.thread_id], ["still here", thread_id]);
  });

  await t.step("A14: agents of one call each have their own directory and sandbox", async () => {
    const places = ["one", "two"];
    for (const place of places) await Deno.mkdir(join(swarm.cwd, place));
    const agents = places.map((cwd, index) => ({
      cwd,
      prompt: "fake:write(mine.txt) fake:echo_args",
      sandbox: index === 0 ? "read-only" : "workspace-write",
    }));
    const { structured } = await swarm.call("spawn_agents_parallel", { agents });
    const echoes = await Promise.all(structured.agents.map(echoOf));
    assert.deepEqual(echoes.map(({ cwd, args }) => [cwd, args[args.indexOf("-s") + 1]]), [
      [join(swarm.cwd, "one"), "read-only"],
      [join(swarm.cwd, "two"), "workspace-write"],
    ]);
  });

  await t.step("A19: three thousand lines take no time to be logged, and none is lost", async () => {
    const { structured } = await swarm.call("spawn_agent", { prompt: "fake:flood(1500) fake:say(done)" });
    const log = await Deno.readTextFile(structured.log_file);
    assert.equal(log.match(/ stdout: \| \d+$/gm)?.length, 1_500);
    assert.equal(log.match(/ stdout: exit 0: /g)?.length, 1_500);
    assert.ok(structured.elapsed_seconds <= 5, `${structured.elapsed_seconds} s`);
  });

  await t.step("A22: progress grows, from one voice, and does not follow the answer", async () => {
    const { received } = swarm.process;
    const from = received.length;
    await swarm.process.send({
      jsonrpc: "2.0",
      id: "mine",
      method: "tools/call",
      params: {
        name: "spawn_agents_parallel",
        arguments: { agents: [{ prompt: "fake:say(1)" }, { prompt: "fake:say(2)" }] },
        _meta: { progressToken: "mine" },
      },
    });
    await waitFor(() => received.some(({ id }) => id === "mine"), { message: "the answer" });
    const messages = received.slice(from).filter((message) => message["method"] === "notifications/progress");
    const values = messages.map(({ params }) => Number(Reflect.get(Object(params), "progress")));
    assert.ok(values.length >= 1 && values.length <= 3, `${values}`);
    assert.deepEqual(values, values.map((_, index) => index + 1));
    assert.equal(received.at(-1)?.["id"], "mine");
  });

  await t.step("A26: an error is one JSON object; what is the program's own is no parameter", async () => {
    const error = errorOf(await swarm.call("spawn_agent", { prompt: "fake:crash(2)" }));
    assert.equal(error.details.exit_code, 2);
    const { tools } = await swarm.client.listTools();
    const shown = Object.keys(tools.find(({ name }) => name === "spawn_agent")?.inputSchema.properties ?? {});
    assert.deepEqual(shown.filter((name) => name.startsWith("agent_")), []);
    const old = await swarm.call("spawn_agent", { prompt: "fake:say(x)", agent_index: 1, agent_count: 2 });
    assert.equal(old.isError, false);
  });
});
