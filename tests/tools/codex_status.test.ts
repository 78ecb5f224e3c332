import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("codex_status shows what a task does, in codex-mcp-swarm's layout and as data", async () => {
  await using swarm = await startSwarm();
  const prompt = "fake:reason(thinking about it) fake:command(ls) fake:mcp(files.read) fake:search(deno) " +
    "fake:write(new.txt,one) fake:write(README.md,two) fake:plan(look*,change,test) fake:subagent(help me) " +
    "fake:say(half way) fake:hold(go) fake:run(while [ ! -e end ]; do sleep 0.02; done) fake:usage(50,5) fake:say(done)";
  const id = await startTask(swarm, prompt, { label: "busy", sandbox: "workspace-write", model: "gpt-x" });
  const { thread_id: thread, started_at, elapsed_seconds: elapsed, silent_seconds } = await waitForTask(
    swarm,
    id,
    (task) => task.answer === "half way",
  );
  const during = await swarm.call("codex_status", { task_ids: [id, "nope", "00000000"] });
  const files = [{ path: `${swarm.cwd}/new.txt`, kind: "add" }, { path: `${swarm.cwd}/README.md`, kind: "update" }];
  assert.deepEqual(during.text.replace(/\d+s elapsed/, "Ns elapsed").split("\n"), [
    `=== Task ${id} (Ns elapsed) ===`,
    `Thread ID: ${thread}`,
    "Label: busy",
    "Phase: running",
    "Tools called: 3",
    "Last tool: exec_command(/bin/bash -lc ls)",
    "Thinking: thinking about it",
    "Output: half way",
    "Plan: [x] look; [ ] change; [ ] test",
    `Files changed: 2 (add ${files[0]?.path}, update ${files[1]?.path})`,
    "Sub-agents: 1",
    "Sandbox: workspace-write (call)",
    "",
    "=== Task nope === INVALID TASK ID: NOPE",
    "",
    "=== Task 00000000 === TASK 00000000 NOT FOUND",
  ]);
  assert.deepEqual([during.isError, elapsed < 10, (silent_seconds ?? 0) < 10], [false, true, true]);
  const [data, ...others] = during.structured.tasks;
  assert.deepEqual(data, {
    task_id: id,
    status: "running",
    label: "busy",
    thread_id: thread,
    elapsed_seconds: data.elapsed_seconds,
    phase: "running",
    answer: "half way",
    last_command: { command: "/bin/bash -lc ls", exit_code: 0 },
    last_reasoning: "thinking about it",
    plan: [{ text: "look", completed: true }, { text: "change", completed: false }, { text: "test", completed: false }],
    files_changed: files,
    tools_called: 3,
    sub_agents: 1,
    ...(data.silent_seconds === undefined ? {} : { silent_seconds: data.silent_seconds }),
    cwd: swarm.cwd,
    model: "gpt-x",
    sandbox: { mode: "workspace-write", source: "call", network: false },
    lifetime: "detached",
    started_at,
    events_file: `${swarm.stateDir}/tasks/${id}/events.jsonl`,
  });
  assert.deepEqual(others, [
    { task_id: "nope", status: "not_found", error: `Cannot find task "nope": known tasks are ${id}.` },
    { task_id: "00000000", status: "not_found", error: `Cannot find task "00000000": known tasks are ${id}.` },
  ]);

  // Nothing comes from an agent that holds.
  await waitForTask(swarm, id, (task) => task.silent_seconds >= 1);
  await release(swarm, "go");
  const working = await waitForTask(swarm, id, (task) => task.current_command !== undefined);
  assert.match(working.phase, /^running\(\/bin\/bash -lc .*sleep 0\.02.*\)$/);
  await release(swarm, "end");
  const ended = await waitForStatus(swarm, id, "completed");
  const after = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(after.text, /^=== Task [0-9a-f]{8} \(COMPLETED in \d+s\) ===\n/);
  assert.match(after.text, /^Tokens: 50 in, 5 out$/m);
  const { phase, plan, silent_seconds: silent, tools_called } = ended;
  assert.deepEqual({ phase, plan, silent, tools_called }, {
    phase: undefined,
    plan: undefined,
    silent: undefined,
    tools_called: 4,
  });

  const failed = await startTask(swarm, "fake:say(half) fake:crash(9)");
  await waitForStatus(swarm, failed, "failed");
  const { text: words } = await swarm.call("codex_status", { task_ids: [failed] });
  const lines = words.replace(/in \d+s/, "in Ns").split("\n");
  assert.equal(lines[0], `=== Task ${failed} (FAILED in Ns, exit 9) ===`);
  assert.deepEqual(lines.slice(2, 7), [
    "Phase: failed",
    "Cause: Codex ended with exit code 9 and no end of its turn.",
    "Category: unknown",
    "Retryable: no (informational only; the wrapper did not retry)",
    "Action: Read the message and the task's stderr.log before another try.",
  ]);
});

Deno.test("codex_status says of a failure in which run of its task it came", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  await swarm.call("codex_reply", { threadId, prompt: "fake:crash(9)", when: "now" });
  const { text } = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(text, /^Retryable: no \(informational only; this was run 2 of the task\)$/m);
});

Deno.test("codex_status without ids lists this repository's tasks, open ones first, and with all those of others", async () => {
  await using codex = await installFakeCodex();
  await using one = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
  await using other = await startSwarm({ codex, stateDir: one.stateDir });
  const empty = await one.call("codex_status");
  assert.equal(empty.text, "No tasks in this repository. all=true lists those of others.");
  assert.deepEqual(empty.structured, { tasks: [] });

  const first = await startTask(one, "fake:say(first)");
  await waitForStatus(one, first, "completed");
  const second = await startTask(one, "fake:say(second)");
  await waitForStatus(one, second, "completed");
  const foreign = await startTask(other, "fake:say(foreign)");
  await waitForStatus(other, foreign, "completed");
  const running = await startTask(one, "fake:hold(go)");
  await waitForStatus(one, running, "running");
  const queued = await startTask(one, "fake:say(queued)");

  const idsOf = async (parameters: Readonly<Record<string, unknown>>): Promise<string[]> => {
    const { text, structured } = await one.call("codex_status", parameters);
    const ids: string[] = structured.tasks.map(({ task_id }: { task_id: string }) => task_id);
    assert.deepEqual([...text.matchAll(/=== Task ([0-9a-f]{8}) /g)].map((match) => match[1]), ids);
    return ids;
  };
  assert.deepEqual(await idsOf({}), [running, queued, second, first]);
  assert.deepEqual(await idsOf({ task_ids: [] }), [running, queued, second, first]);
  assert.deepEqual(await idsOf({ all: true }), [running, queued, foreign, second, first]);
  // A directory within the repository stands for it.
  await Deno.mkdir(join(other.cwd, "below"));
  assert.deepEqual(await idsOf({ cwd: join(other.cwd, "below") }), [foreign]);
  assert.deepEqual(await idsOf({ cwd: "." }), [running, queued, second, first]);
  const { text, isError } = await one.call("codex_status", { cwd: join(one.cwd, "gone") });
  assert.deepEqual([isError, text], [true, `Cannot use cwd ${join(one.cwd, "gone")}: there is no such directory.`]);
  // An id works from anywhere.
  assert.deepEqual(await idsOf({ task_ids: [foreign] }), [foreign]);
  const { structured } = await one.call("codex_status");
  assert.deepEqual(structured.tasks[1], {
    task_id: queued,
    status: "queued",
    elapsed_seconds: structured.tasks[1].elapsed_seconds,
    phase: "queued, position 1",
  });
  await release(one, "go");
  await waitForStatus(one, queued, "completed");
});

Deno.test("codex_status over HTTP lists the tasks of all, since it knows no client's repository, or those of cwd", async () => {
  await using codex = await installQuickCodex();
  await using server = await startHttpServer({ codex });
  await using clients = await tempRepo();
  await using swarm = await server.connect();
  const list = async (parameters: Readonly<Record<string, unknown>>): Promise<string[]> => {
    const { text, structured } = await swarm.call("codex_status", parameters);
    return structured.tasks.length === 0 ? [text] : structured.tasks.map(({ task_id }: { task_id: string }) => task_id);
  };
  assert.deepEqual(await list({}), ["There are no tasks."]);
  const start = async (parameters: Readonly<Record<string, unknown>>): Promise<string> =>
    (await swarm.call("codex", { prompt: "say hello", ...parameters })).structured.task_id;
  const elsewhere = await start({ cwd: clients.path });
  assert.deepEqual(await list({}), [elsewhere]);
  assert.deepEqual(await list({ cwd: server.cwd }), ["No tasks in this repository. all=true lists those of others."]);
  const here = await start({});
  assert.deepEqual(await list({}), [here, elsewhere]);
  assert.deepEqual(await list({ all: true }), [here, elsewhere]);
  assert.deepEqual(await list({ cwd: clients.path }), [elsewhere]);
});

Deno.test("codex_status takes for read only what it has shown", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, clientName: "codex-mcp-client" });
  const ids: string[] = [];
  for (let index = 0; index < 30; index++) {
    ids.push(await startTask(swarm, "quick: exit=1", { label: `${index} ${"label".repeat(38)}` }));
  }
  for (const id of ids) await waitForEnd(swarm, id);
  const { text, structured } = await swarm.call("codex_status", { task_ids: ids });
  const shown: string[] = structured.tasks.map(({ task_id }: { task_id: string }) => task_id)
    .filter((id: string) => text.includes(`=== Task ${id} `));
  assert.ok(shown.length > 0 && shown.length < ids.length);
  const { stateDir, cwd } = swarm;
  await using another = await startSwarm({ codex, stateDir, cwd });
  const told = another.client.getInstructions() ?? "";
  assert.ok(told.includes(` ${ids.length - shown.length} ended unread: `), told);
});

/** Waits for a task's end without being given its result. */
async function waitForEnd(swarm: Swarm, id: string): Promise<void> {
  await waitFor(async () => {
    const tasks: { task_id: string; status: string }[] = await swarm.resource("tasks");
    return tasks.some(({ task_id, status }) => task_id === id && status === "failed");
  }, { message: `${id} to end` });
}
