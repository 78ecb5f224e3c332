/** Calls that are made again under the same name: to several servers at once, and after their server was killed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RequestFiles } from "../../src/storage/request_files.ts";
import { lockThread } from "../../src/storage/thread_lock.ts";
import { digestOf } from "../../src/tools/request_key.ts";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { release, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const WORKS = "fake:hold(go) fake:say(done)";
const KEY = { "request-key": "mine" };
const ROUNDS = 5;

async function untilWorking(yard: ServersYard, count: number): Promise<void> {
  await waitFor(() => yard.codex.ledger().length === count, { message: `${count} agents to work` });
}

/** The notes of the only named call. */
// deno-lint-ignore no-explicit-any
async function notes(yard: ServersYard): Promise<any> {
  const directory = join(yard.stateDir, "requests");
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name).catch(() => []);
  const [name, ...others] = names.filter((name) => name.endsWith(".json"));
  assert.deepEqual(others, []);
  return name === undefined ? null : JSON.parse(await Deno.readTextFile(join(directory, name)));
}

Deno.test(
  { name: "of the same call to several servers at once one starts an agent, and the others join it", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using one = await yard.start();
    await using two = await yard.start();
    await using three = await yard.start();
    const servers = [one, two, three, one, two, three];
    for (let round = 0; round < ROUNDS; round++) {
      const prompt = `quick: exit=0 round=${round}`;
      const key = { "request-key": `round ${round}` };
      const starts = await Promise.all(servers.map((server) => server.call("codex_async", { prompt, ...key })));
      const ids = new Set(starts.map(({ structured }) => structured.task_id));
      assert.equal(ids.size, 1, starts.map(({ text }) => text).join("\n"));
      await one.call("codex_wait", { task_ids: [...ids] });
      assert.equal(yard.codex.ledger().length, round + 1);
    }
    // Without a name each is a call of its own (control).
    const starts = await Promise.all(servers.map((server) => server.call("codex_async", { prompt: "quick: exit=0" })));
    await one.call("codex_wait", { task_ids: starts.map(({ structured }) => structured.task_id) });
    assert.equal(yard.codex.ledger().length, ROUNDS + servers.length);
  },
);

for (const isBegun of [false, true]) {
  const what = isBegun ? "whose agent was only begun to be written down" : "that was noted and not started";
  Deno.test({ name: `a call ${what} when its server was killed is started once by the next one`, ignore }, async () => {
    await using yard = await serversYard();
    let threadId = "";
    {
      await using server = await yard.start();
      threadId = (await server.call("codex", { prompt: "fake:say(first)" })).structured.threadId;
      // Whoever starts a task on the thread waits here.
      using _order = await lockThread(join(yard.stateDir, "tasks"), threadId);
      const call = server.call("codex_reply", { threadId, prompt: WORKS, ...KEY }).catch(() => undefined);
      await waitFor(async () => await notes(yard), { message: "the call to be noted" });
      await killServer(server);
      await call;
    }
    const { entries: [{ id }] } = await notes(yard);
    if (isBegun) await Deno.mkdir(yard.task(id));
    await using next = await yard.start();
    const calls = [0, 1].map(() => next.call("codex_reply", { threadId, prompt: WORKS, ...KEY }));
    await release(next, "go");
    const [first, second] = await Promise.all(calls);
    assert.deepEqual([first?.structured.content, second?.structured.content], ["done", "done"]);
    assert.equal(first?.structured.task_id, second?.structured.task_id);
    assert.equal(yard.codex.ledger().length, 2);
  });
}

Deno.test(
  { name: "a call whose server was killed joins its agent through the next one, in its time", ignore },
  async () => {
    await using yard = await serversYard();
    const call = ["codex", { prompt: WORKS, ...KEY }] as const;
    {
      await using server = await yard.start();
      const first = server.call(...call).catch(() => undefined);
      await untilWorking(yard, 1);
      await killServer(server);
      await first;
    }
    await using next = await yard.start();
    const again = next.call(...call);
    // Without its key it starts another one (control).
    const other = next.call("codex", { prompt: WORKS });
    await untilWorking(yard, 2);
    await release(next, "go");
    assert.equal((await again).structured.content, "done");
    assert.notEqual((await other).structured.task_id, (await again).structured.task_id);
    assert.equal(yard.codex.ledger().length, 2);
  },
);

Deno.test(
  { name: "of several agents those are started that were not when their server was killed", ignore },
  async () => {
    await using yard = await serversYard();
    const prompts = ["a", "b", "c"].map((name) => `fake:hold(${name}) fake:say(${name})`);
    const agents = prompts.map((prompt) => ({ prompt }));
    const call = ["spawn_agents_parallel", { agents, max_parallel: 1, ...KEY }] as const;
    {
      await using server = await yard.start();
      const first = server.call(...call).catch(() => undefined);
      await untilWorking(yard, 1);
      await killServer(server);
      await first;
    }
    const ids: string[] = (await notes(yard)).entries.map(({ id }: { id: string }) => id);
    // As if it had been killed before the last one was written down.
    await Deno.remove(yard.task(ids[2] ?? ""), { recursive: true });
    await using next = await yard.start();
    const again = next.call(...call);
    for (const name of ["a", "b", "c"]) await release(next, name);
    const { structured } = await again;
    assert.deepEqual(structured.result.map(({ output }: { output: string }) => output?.[0]), ["a", "b", "c"]);
    const started: string[] = structured.agents.map(({ task_id }: { task_id: string }) => task_id);
    // The second one had been waiting for its turn, and ended with its server.
    assert.deepEqual(started.map((id, index) => id === ids[index]), [true, false, false]);
    assert.deepEqual(yard.codex.ledger().map(({ prompt }) => prompt).toSorted(), prompts);
  },
);

Deno.test(
  { name: "an agent is told what it was not when the server was killed that was about to", ignore },
  async () => {
    await using yard = await serversYard();
    await using server = await yard.start();
    const { structured: { task_id } } = await server.call("codex_async", {
      prompt: "fake:say(first) fake:hold(never)",
    });
    const { thread_id: threadId } = await waitForTask(server, task_id, (task) => task.thread_id !== undefined);
    const asked = { threadId, prompt: "fake:say(told)", when: "now" };
    const files = new RequestFiles(yard.stateDir);
    const name = await files.nameOf("codex_reply", KEY["request-key"], []);
    {
      using _lock = await files.lock(name, 0);
      const digest = await digestOf({ tool: "codex_reply", key: KEY["request-key"], asked, directories: [] });
      await files.write(name, { asked: digest, entries: [{ told: task_id, after: 0 }], createdAt: new Date() });
    }
    for (let times = 0; times < 2; times++) {
      const { structured } = await server.call("codex_reply", { ...asked, ...KEY });
      assert.deepEqual([structured.task_id, structured.content], [task_id, "told"]);
    }
    assert.equal(yard.codex.ledger().length, 2);
  },
);
