/** Calls that are made again under the same name. Servers that are killed in between: tests/faults/request_key.test.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RequestFiles } from "../../src/storage/request_files.ts";
import { claimStart } from "../../src/tools/start_claim.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { HandleClient } from "../helpers/handles.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { release, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { toolCall, toolServices } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

const WORKS = "fake:hold(go) fake:say(done)";

/** How many calls are noted by name. */
async function noted(stateDir: string): Promise<number> {
  const names = await Array.fromAsync(Deno.readDir(join(stateDir, "requests")), ({ name }) => name).catch(() => []);
  return names.filter((name) => name.endsWith(".json")).length;
}

Deno.test("a call made again with its key starts nothing twice, and is answered as the first one", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  for (
    const [name, args] of [
      ["codex_async", { prompt: WORKS, config: { a: 1, b: { c: 2, d: 3 } } }],
      ["spawn_agent_async", { prompt: WORKS }],
      ["spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: 7 }, { prompt: WORKS }], wait: false }],
    ] as const
  ) {
    const before = yard.codex.ledger().length;
    const key = { "request-key": "mine" };
    const ids = ({ structured }: { readonly structured: Record<string, unknown> }): string[] =>
      [...JSON.stringify(structured).matchAll(/"task_id":"([^"]*)"/g)].map(([, id = ""]) => id);
    const first = await swarm.call(name, { ...args, ...key });
    assert.equal(first.isError, false, first.text);
    const count = ids(first).length;
    await waitFor(() => yard.codex.ledger().length === before + count, { message: "the agents to work" });
    const again = await swarm.call(name, { ...key, ...Object.fromEntries(Object.entries(args).toReversed()) });
    assert.deepEqual(ids(again), ids(first), name);
    if (name === "spawn_agents_parallel") {
      assert.equal(again.structured.result[1].error.code, "invalid_prompt_type");
      assert.deepEqual(again.structured.result[1], first.structured.result[1]);
    }
    // Without the key, or with another, it is another call (control).
    const other = await swarm.call(name, { ...args, request_key: "another" });
    const none = await swarm.call(name, args);
    assert.equal(new Set([...ids(first), ...ids(other), ...ids(none)]).size, 3 * count, name);
    await waitFor(() => yard.codex.ledger().length === before + 3 * count, { message: "the others to work" });
  }
  const { mode } = await Deno.stat(join(yard.stateDir, "requests"));
  assert.equal((mode ?? 0) & 0o777, Deno.build.os === "windows" ? 0 : 0o700);
});

Deno.test({
  name: "a key in another project is another call's, and in the same one the same through any server",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using yard = await serversYard();
  await using other = await tempRepo();
  await using third = await tempRepo();
  await using one = await yard.start();
  // Its agents start where the first server's do, those of spawn_* elsewhere.
  await using beside = await yard.start({ env: { CODEX_AGENT_CWD: third.path } });
  await using two = await yard.start({ cwd: other.path });
  await using links = await tempDirectory();
  const link = join(links.path, "project");
  await Deno.symlink(yard.cwd, link);
  await using linked = await yard.start({ cwd: other.path, env: { CODEX_AGENT_CWD: link } });
  for (
    const [name, args, isOfAgents] of [
      ["codex_async", { prompt: WORKS }, false],
      ["spawn_agent_async", { prompt: WORKS }, true],
      ["spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: WORKS }], wait: false }, true],
    ] as const
  ) {
    const started = async (server: Swarm, given: Readonly<Record<string, unknown>> = args): Promise<string[]> => {
      const { structured, isError, text } = await server.call(name, { ...given, "request-key": "mine" });
      assert.equal(isError, false, text);
      return [...JSON.stringify(structured).matchAll(/"task_id":"(?:codex_\d+_\d+_)?([^"]*)"/g)].map(([, id = ""]) =>
        id
      );
    };
    const cwdOf = async (ids: readonly string[]): Promise<string> => {
      const { structured } = await one.call("codex_status", { task_ids: ids });
      return structured.tasks[0].cwd;
    };
    const first = await started(one);
    const elsewhere = await started(two);
    assert.notDeepEqual(elsewhere, first, name);
    assert.deepEqual([await cwdOf(first), await cwdOf(elsewhere)], [yard.cwd, other.path], name);
    const besides = await started(beside);
    if (isOfAgents) assert.equal(await cwdOf(besides), third.path, name);
    else assert.deepEqual(besides, first, name);
    assert.deepEqual(await started(linked), isOfAgents ? first : elsewhere, name);
    // Each is joined where it is.
    assert.deepEqual([await started(two), await started(one)], [elsewhere, first], name);
    // The same call, which says itself where, is the same through all servers.
    const inPlace = (cwd: string): Readonly<Record<string, unknown>> =>
      "agents" in args ? { ...args, agents: args.agents.map((spec) => ({ ...spec, cwd })) } : { ...args, cwd };
    const named = await started(one, inPlace(third.path));
    assert.deepEqual(await started(two, inPlace(third.path)), named, name);
    // It may say so where it would be there anyway.
    if (isOfAgents) assert.deepEqual(named, besides, name);
    else assert.notDeepEqual(named, besides, name);
  }
  const { structured: { threadId } } = await one.call("codex", { prompt: "fake:say(first)" });
  // A thread has a directory of its own, whoever goes on with it.
  for (const name of ["codex", "codex_reply"]) {
    const reply = { threadId, prompt: "fake:say(more)", "request-key": "mine" };
    const [here, there] = [await one.call(name, reply), await two.call(name, reply)];
    assert.equal(here.structured.content, "more");
    assert.equal(there.structured.task_id, here.structured.task_id, name);
  }
});

Deno.test("a blocking call made again with its key waits for the agents of the first one", async () => {
  await using yard = await serversYard();
  await using one = await yard.start();
  await using two = await yard.start();
  const { structured: { threadId } } = await one.call("codex", { prompt: "fake:say(first)" });
  for (
    const [name, args] of [
      ["codex", { prompt: WORKS }],
      ["codex_reply", { prompt: WORKS, threadId }],
      ["spawn_agent", { prompt: WORKS }],
      ["spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: " " }] }],
    ] as const
  ) {
    const before = yard.codex.ledger().length;
    const calls = [one, two, one].map((server) => server.call(name, { ...args, requestKey: "mine" }));
    await waitFor(() => yard.codex.ledger().length > before, { message: "the agent to work" });
    await release(one, "go");
    const answers = await Promise.all(calls);
    const late = await two.call(name, { ...args, requestKey: "mine" });
    await Deno.remove(join(one.cwd, "go"));
    for (const { text, isError } of [...answers, late]) {
      assert.equal(isError, false);
      assert.match(text, /done/);
    }
    const task = ({ structured }: { readonly structured: Record<string, unknown> }): unknown =>
      /"task_id":"([^"]*)"/.exec(JSON.stringify(structured))?.[1];
    assert.equal(new Set([...answers, late].map(task)).size, 1, name);
    assert.equal(yard.codex.ledger().length, before + 1, name);
  }
  const alias = { threadId, prompt: WORKS, "request-key": "mine" };
  assert.equal((await one.call("codex-reply", alias)).structured.content, "done");
  assert.equal(yard.codex.ledger().length, 5);
});

Deno.test("a key that named another call is refused, and so is one that is no name", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const key = { "request-key": "mine" };
  const first = await swarm.call("codex_async", { prompt: WORKS, env: { A: "one" }, ...key });
  for (const args of [{ prompt: "other" }, { prompt: WORKS, label: "x" }, { prompt: WORKS, env: { B: "one" } }]) {
    const { text, isError } = await swarm.call("codex_async", { ...args, ...key });
    assert.deepEqual([isError, text], [
      true,
      'Cannot call codex_async: a call with request-key "mine" was made before and asked for something else. Choose ' +
      "another key; nothing was started.",
    ]);
  }
  const spawn = await swarm.call("spawn_agent_async", { prompt: WORKS, ...key });
  assert.equal(spawn.isError, false, "another tool's keys are its own");
  const other = await swarm.call("spawn_agent_async", { prompt: "other", ...key });
  assert.match(other.text, /"code":"invalid_argument".*Choose another key/);
  const empty = await swarm.call("codex_async", { prompt: WORKS, "request-key": " " });
  assert.match(empty.text, /request-key is empty\. Give it a name, or leave it out\.$/);
  const long = await swarm.call("codex_async", { prompt: WORKS, "request-key": "k".repeat(100_000) });
  assert.equal(long.isError, false);
  assert.equal(
    (await swarm.call("codex_async", { prompt: "x", "request-key": "k".repeat(100_000) })).text.length < 300,
    true,
  );
  // What variables hold may be secret, so nothing of it is kept.
  const again = await swarm.call("codex_async", { prompt: WORKS, env: { A: "two" }, ...key });
  assert.equal(again.structured.task_id, first.structured.task_id);
  await waitFor(() => yard.codex.ledger().length === 3, { message: "three agents" });
});

Deno.test("a call that was refused, or had nothing to start, leaves its key free", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const key = { "request-key": "mine" };
  for (
    const [name, args] of [
      ["codex", { prompt: "x", cwd: "/nowhere" }],
      ["codex", { prompt: 7 }],
      ["codex_async", { prompt: "x", cwd: "/nowhere" }],
      ["codex_reply", { prompt: "x", threadId: "00000000-0000-0000-0000-000000000000" }],
      ["spawn_agent", { prompt: " " }],
      ["spawn_agent_async", { prompt: "x", cwd: "/nowhere" }],
      ["spawn_agents_parallel", { agents: [] }],
    ] as const
  ) assert.equal((await swarm.call(name, { ...args, ...key })).isError, true);
  const { structured } = await swarm.call("spawn_agents_parallel", { agents: [{ prompt: 7 }], ...key });
  assert.equal(structured.result[0].error.code, "invalid_prompt_type");
  assert.equal(await noted(yard.stateDir), 0);
  for (const name of ["codex", "codex_async", "spawn_agent", "spawn_agent_async"]) {
    assert.equal((await swarm.call(name, { prompt: "fake:say(hello)", ...key })).isError, false);
  }
});

Deno.test({
  name: "a call that is cancelled before it has started anything leaves its key free",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using codex = await installFakeCodex();
  // The server asks for the version while it plans the first task.
  const path = `${codex.directory}/slow_codex`;
  writeExecutable(
    path,
    `#!/bin/sh
if [ "$1" = --version ]; then
  : >>"$0.asked"
  until [ -e "$0.go" ]; do sleep 0.02; done
fi
exec "${codex.path}" "$@"
`,
  );
  await using swarm = await startSwarm({ codex: { path, home: codex.home } });
  const cancelling = new AbortController();
  const call = swarm.call("codex", { prompt: "fake:say(one)", "request-key": "mine" }, { signal: cancelling.signal });
  await waitFor(async () => (await Deno.stat(`${path}.asked`)).isFile, { message: "the version to be asked for" });
  cancelling.abort();
  await assert.rejects(call);
  // What comes after a call's cancellation on the wire is read after it.
  await swarm.client.ping();
  await Deno.writeTextFile(`${path}.go`, "");
  const { structured } = await swarm.call("codex", { prompt: "fake:say(two)", "request-key": "mine" });
  assert.equal(structured.content, "two");
  assert.equal(codex.ledger().length, 1);
});

Deno.test("a call that starts nothing says that an earlier one has, and how its agent stands", async () => {
  await using yard = await serversYard();
  await using one = await yard.start();
  await using two = await yard.start();
  const key = { "request-key": "mine" };
  const batch = { agents: [{ prompt: WORKS }, { prompt: "fake:hold(never)" }, { prompt: 7 }], wait: false };
  const names = ["codex_async", "spawn_agent_async", "spawn_agents_parallel"] as const;
  const call = (swarm: Swarm, name: string): Promise<Answer> =>
    swarm.call(name, { ...(name === "spawn_agents_parallel" ? batch : { prompt: WORKS }), ...key });
  const firsts = await Promise.all(names.map((name) => call(one, name)));
  for (const { structured } of firsts) assert.doesNotMatch(JSON.stringify(structured), /joined|earlier/);
  await waitFor(() => yard.codex.ledger().length === 4, { message: "the agents to work" });

  const [codex, agent, agents] = await Promise.all(names.map((name) => call(two, name)));
  const id = firsts[0]?.structured.task_id;
  assert.match(
    codex?.text ?? "",
    new RegExp(
      `^Codex task ${id} was started by an earlier call with this request-key, and is running now; this call started ` +
        `nothing\\.\nTask ID: ${id}\nLifetime: detached \\(it runs on when its server ends\\)[^]*NOT TRACKED`,
    ),
  );
  assert.deepEqual([codex?.structured.joined, codex?.structured.status], [true, "running"]);
  assert.deepEqual([agent?.structured.joined, agent?.structured.status], [true, "running"]);
  assert.match(
    agent?.structured.note,
    /^An earlier call with this request-key started the agent, and this one nothing\. It works in the background: /,
  );
  assert.deepEqual(JSON.parse(agent?.text ?? "").joined, true);
  const joined = ({ structured }: Answer): unknown[] =>
    structured.result.map((item: Record<string, unknown>) => [item["joined"], item["status"]]);
  assert.deepEqual(agents && joined(agents), [[true, "running"], [true, "running"], [undefined, undefined]]);
  assert.match(
    agents?.structured.note,
    /^An earlier call with this request-key started 2 agents, 0 of which have ended; this one started none\. get_agent/,
  );

  await release(one, "go");
  const ids = [id, firsts[1]?.structured.task_id, firsts[2]?.structured.result[0].task_id];
  await one.call("codex_wait", { task_ids: ids });
  const [codexEnded, agentEnded, agentsEnded] = await Promise.all(names.map((name) => call(two, name)));
  assert.match(codexEnded?.text ?? "", /request-key, and is completed now; this call started nothing\./);
  assert.match(
    codexEnded?.text ?? "",
    /\n\nIt has ended: call codex_wait\(task_ids=\["[0-9a-f]{8}"\]\) for the result\.$/,
  );
  assert.doesNotMatch(codexEnded?.text ?? "", /NOT TRACKED|Lifetime/);
  assert.deepEqual([codexEnded?.structured.joined, codexEnded?.structured.status], [true, "completed"]);
  assert.equal(codexEnded?.structured.next, `It has ended: call codex_wait(task_ids=["${id}"]).`);
  assert.deepEqual([agentEnded?.structured.joined, agentEnded?.structured.status], [true, "completed"]);
  assert.match(
    agentEnded?.structured.note,
    /and this one nothing\. It has ended: get_agent_status\("codex_[^"]*"\) tells/,
  );
  assert.deepEqual(agentsEnded && joined(agentsEnded)[0], [true, "completed"]);
  assert.match(agentsEnded?.structured.note, /^An earlier [^.]* started 2 agents, 1 of which have ended; this one /);
});

Deno.test("a blocking call that starts nothing says so in its data, and the way out where its agent failed", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const { structured: { threadId } } = await swarm.call("codex", { prompt: "fake:say(first)" });
  const prompt = "fake:fail(boom)";
  for (
    const [name, args] of [
      ["codex", { prompt }],
      ["codex_reply", { prompt, threadId }],
      ["spawn_agent", { prompt }],
      ["spawn_agents_parallel", { agents: [{ prompt }] }],
    ] as const
  ) {
    const call = { ...args, "request-key": "mine" };
    const [first, again] = [await swarm.call(name, call), await swarm.call(name, call)];
    const joined = ({ structured }: Answer): unknown => (structured.result?.[0] ?? structured).joined;
    assert.deepEqual([joined(first), joined(again)], [undefined, true], name);
    const line =
      "\nThis is how the earlier call with this request-key ended: choose another key to start an agent anew.";
    assert.equal(again.text.includes(line), name.startsWith("codex"), name);
    assert.equal(first.text.includes(line), false);
  }
});

Deno.test("cancelling a call that joined another one stops their agent, which both are told", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  await using other = await yard.start();
  const args = { prompt: WORKS, "request-key": "mine" };
  const first = swarm.call("codex", args);
  await waitFor(() => yard.codex.ledger().length === 1, { message: "the agent to work" });
  const cancelling = new AbortController();
  let hasJoined = false;
  const second = other.call("codex", args, { signal: cancelling.signal, onProgress: () => hasJoined = true });
  await waitFor(() => hasJoined, { message: "the second call to wait" });
  cancelling.abort();
  await assert.rejects(second);
  const { isError, structured } = await first;
  assert.deepEqual([isError, structured.status], [true, "cancelled"]);
  assert.equal((await swarm.call("codex", args)).structured.status, "cancelled");
  assert.equal(yard.codex.ledger().length, 1);
});

Deno.test("a client that leaves takes no agent with it that its call has only joined", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const args = { prompt: WORKS, "request-key": "mine" };
  const first = swarm.call("codex", args);
  await waitFor(() => yard.codex.ledger().length === 1, { message: "the agent to work" });
  {
    await using leaver = await yard.start();
    let hasJoined = false;
    leaver.call("codex", args, { onProgress: () => hasJoined = true }).catch(() => {});
    await waitFor(() => hasJoined, { message: "the second call to wait" });
  }
  await release(swarm, "go");
  assert.equal((await first).structured.content, "done");
});

Deno.test("a running agent is told once, however often the call is made", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const { structured: { task_id } } = await swarm.call("codex_async", { prompt: "fake:say(first) fake:hold(never)" });
  const { thread_id: threadId } = await waitForTask(swarm, task_id, (task) => task.thread_id !== undefined);
  const args = { threadId, prompt: "fake:say(told) fake:hold(go)", when: "now", "request-key": "mine" };
  const replies = [swarm.call("codex_reply", args), swarm.call("codex_reply", args)];
  await waitFor(() => yard.codex.ledger().length === 2, { message: "the agent to be told" });
  await release(swarm, "go");
  for (const { structured } of await Promise.all([...replies, swarm.call("codex_reply", args)])) {
    assert.deepEqual([structured.task_id, structured.content], [task_id, "told"]);
  }
  assert.equal(yard.codex.ledger().length, 2);
  // Without the key it would be told again, or replied to (control).
  const { "request-key": _key, ...plain } = args;
  assert.notEqual((await swarm.call("codex_reply", plain)).structured.task_id, task_id);
});

Deno.test("a call with a key gives as many handles as it is made, over one run", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const args = { prompt: WORKS, "request-key": "mine" };
  const [first, second] = [await client.handle("codex", args), await client.handle("codex", args)];
  assert.notEqual(first, second);
  await Deno.writeTextFile(join(yard.cwd, "go"), "");
  const ends = [await client.ended(first), await client.ended(second)];
  const { result } = ends[0];
  const structuredContent = { ...result.structuredContent, joined: true };
  assert.deepEqual(ends[1].result, { ...result, structuredContent });
  assert.equal(yard.codex.ledger().length, 1);
});

Deno.test("a call whose key cannot be noted starts nothing and says the way out", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  await Deno.writeTextFile(join(yard.stateDir, "requests"), "in the way");
  const { text, isError } = await swarm.call("codex", { prompt: "fake:say(hello)", "request-key": "mine" });
  assert.equal(isError, true);
  assert.match(
    text,
    /^Cannot note the request-key: .*\. Free some space in the state directory, or leave request-key out\.$/,
  );
  assert.equal((await swarm.call("codex", { prompt: "fake:say(hello)" })).structured.content, "hello");
  assert.equal(yard.codex.ledger().length, 1);
});

Deno.test("a call waits for the same one that is being begun until it is cancelled, or for so long", async () => {
  const services = toolServices({});
  const cancelling = new AbortController();
  let looks = 0;
  const lock = (): Promise<null> => {
    if (++looks === 3) cancelling.abort(new Error("cancelled"));
    return Promise.resolve(null);
  };
  const starting = { tool: "codex", input: { prompt: "x", "request-key": "mine" }, directories: [] };
  const requests = { ...services.requests, nameOf: () => Promise.resolve("name"), lock };
  const caller = { call: toolCall({ signal: cancelling.signal }), services: { ...services, requests } };
  await assert.rejects(claimStart(starting, caller), /^Error: cancelled$/);
  assert.equal(looks, 3);
  await assert.rejects(
    claimStart(starting, { ...caller, call: toolCall() }),
    /a call with request-key "mine" is still being begun\. Make it again later; nothing was started\.$/,
  );
});

Deno.test("keys are kept as long as there are tasks of theirs", async () => {
  await using temp = await tempDirectory();
  const files = new RequestFiles(temp.path);
  const [old, later] = [new Date("2026-11-01T00:00:00Z"), new Date("2026-11-20T00:00:00Z")];
  const names: string[] = [];
  for (
    const [createdAt, entries] of [
      [old, [{ id: "0123abcd" }, { error: {} }]],
      [old, [{ told: "0123abcd", after: 0 }]],
      [later, [{ id: "00000000" }]],
      [old, [{ id: "00000000" }, { error: {} }]],
    ] as const
  ) {
    const name = await files.nameOf("codex", `${names.length}`, []);
    using _lock = await files.lock(name, 0);
    await files.write(name, { asked: "", entries, createdAt });
    names.push(name);
  }
  const before = new Date("2026-11-15T00:00:00Z");
  const isTask = (id: string): boolean => id === "0123abcd";
  {
    // Nothing is removed beside a call that is being begun.
    using _lock = await files.lock(await files.nameOf("codex", "other", []), 0);
    await files.removeOld(before, isTask);
    for (const name of names) assert.notEqual(await files.read(name), null);
  }
  await files.removeOld(before, isTask);
  const left = await Promise.all(names.map(async (name) => await files.read(name) !== null));
  assert.deepEqual(left, [true, true, true, false]);
  const locks = await Array.fromAsync(Deno.readDir(join(temp.path, "requests")), ({ name }) => name);
  assert.deepEqual(
    locks.toSorted(),
    ["common", ...names.slice(0, 3).flatMap((name) => [`${name}.json`, `${name}.lock`])].toSorted(),
  );
  assert.equal(await lookedAt(files, names[0] ?? ""), null);
});

/** What whoever comes second gets while a call is being begun. */
async function lookedAt(files: RequestFiles, name: string): Promise<Disposable | null> {
  using _lock = await files.lock(name, 0);
  return await files.lock(name, 0);
}
