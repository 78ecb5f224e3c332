import assert from "node:assert/strict";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { codexWait } from "../../src/tools/codex_wait.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus } from "../helpers/tasks.ts";
import { TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";

/** The ids that an answer of `codex_wait` tells about. */
function toldIds(
  { structured }: { readonly structured: { readonly tasks: { readonly task_id: string }[] } },
): string[] {
  return structured.tasks.map(({ task_id }) => task_id);
}

Deno.test("codex_wait gives all results in the order asked for, each in its own words", async () => {
  await using swarm = await startSwarm();
  const schema = { type: "object" };
  const done = await startTask(swarm, "fake:say(all good)");
  const failed = await startTask(swarm, "fake:say(half way) fake:fail(boom)", { model: "gpt-x" });
  const late = await startTask(swarm, "fake:sleep(60)", { timeout: 0.2 });
  const checked = await startTask(swarm, "fake:say({})", { "output-schema": schema });
  const mute = await startTask(swarm, "fake:command(make)");
  const ids = [late, done, failed, checked, mute];
  const { text, structured, isError } = await swarm.call("codex_wait", {
    task_ids: [...ids, done, "nope", "00000000"],
  });
  assert.equal(isError, false);
  const threads: (string | undefined)[] = structured.tasks.map(({ thread_id }: { thread_id: string }) => thread_id);
  // A slow machine may reach the limit before the agent has a thread.
  const lateThread = threads[0] === undefined ? "" : `Thread ID: ${threads[0]}\n`;
  assert.deepEqual(text.replaceAll(/(in|after) \d+s/g, "$1 Ns").split("\n\n"), [
    `=== Task ${late} (TIMED OUT after Ns) ===\n${lateThread}` +
    "Cause: The run was stopped at its time limit.\nCategory: unknown\n" +
    "Retryable: yes (informational only; the wrapper did not retry)\n" +
    "Action: Resume the thread by its id, with a longer `timeout` if the work needs one.",
    `=== Task ${done} (completed in Ns) ===\nThread ID: ${threads[1]}\nall good`,
    `=== Task ${failed} (FAILED in Ns, exit 1) ===\nThread ID: ${threads[2]}\nModel: gpt-x\nCause: boom\n` +
    "Category: unknown\nRetryable: no (informational only; the wrapper did not retry)\n" +
    "Action: Read the message and the task's stderr.log before another try.\n" +
    "Partial output (before failure): half way",
    `=== Task ${checked} (completed in Ns) ===\nThread ID: ${threads[3]}\n{}\nOutput schema: valid`,
    `=== Task ${mute} (completed in Ns) ===\nThread ID: ${threads[4]}\nNo output from Codex`,
    "=== Task nope === INVALID TASK ID: NOPE",
    "=== Task 00000000 === TASK 00000000 NOT FOUND",
  ]);
  assert.deepEqual(toldIds({ structured }), [...ids, "nope", "00000000"]);
  const statuses = structured.tasks.map(({ status }: { status: string }) => status);
  assert.deepEqual(statuses, ["timed_out", "completed", "failed", "completed", "completed", "not_found", "not_found"]);
  const [, first, second, third] = structured.tasks;
  assert.deepEqual([first.answer, first.exit_code], ["all good", 0]);
  assert.deepEqual([second.answer, second.exit_code, second.failure.message], ["half way", 1, "boom"]);
  assert.deepEqual(third.output_schema_verdict, { valid: true, errors: [] });
  assert.deepEqual([structured.running, structured.cursor.split(",").toSorted()], [[], ids.toSorted()]);
  assert.equal(structured.next, "All have ended.");

  const again = await swarm.call("codex_wait", { task_ids: ids, cursor: structured.cursor });
  assert.equal(again.text, "Nothing new: all of these ends were told before.");
  assert.deepEqual(again.structured, { tasks: [], running: [], cursor: structured.cursor, next: "All have ended." });

  const unknown = await swarm.call("codex_wait", { task_ids: ["00000000"] });
  assert.equal(unknown.text, "=== Task 00000000 === TASK 00000000 NOT FOUND");
  assert.equal(unknown.structured.next, "None of these tasks is known: codex_status() lists those that are.");
  const none = await swarm.call("codex_wait", { task_ids: [] });
  assert.match(none.text, /^Cannot call codex_wait: task_ids: /);
});

Deno.test("F12: codex_wait until any tells each end once and misses none", async () => {
  await using swarm = await startSwarm();
  const ids: string[] = [];
  for (const name of ["a", "b", "c", "d"]) ids.push(await startTask(swarm, `fake:hold(${name}) fake:say(${name})`));
  const [a = "", b = "", c = "", d = ""] = ids;
  const told: string[][] = [];
  let cursor = "";
  const wait = async (): Promise<string[]> => {
    const { text, structured } = await swarm.call("codex_wait", { task_ids: ids, until: "any", cursor });
    const news = structured.tasks.filter(({ status }: { status: string }) => status !== "running");
    const blocks: string[] = text.split("\n\n").filter((block) => block.includes("(completed in"));
    assert.deepEqual(
      blocks.map((block) => block.slice("=== Task ".length).slice(0, 8)),
      toldIds({ structured: { tasks: news } }),
    );
    told.push(toldIds({ structured: { tasks: news } }));
    cursor = structured.cursor;
    assert.deepEqual(structured.running.toSorted(), ids.filter((id) => !told.flat().includes(id)).toSorted());
    return structured.running;
  };

  // One ends while the wait lasts, and two more between this wait and the next.
  const first = wait();
  await release(swarm, "b");
  await first;
  await release(swarm, "a");
  await release(swarm, "d");
  await waitForStatus(swarm, a, "completed");
  await waitForStatus(swarm, d, "completed");
  await wait();
  const last = wait();
  await release(swarm, "c");
  await last;
  assert.deepEqual(told, [[b], [a, d], [c]]);
});

Deno.test("codex_wait tells next time what does not fit into one answer", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, clientName: "codex-mcp-client" });
  const ids: string[] = [];
  for (let index = 0; index < 30; index++) {
    ids.push(await startTask(swarm, `quick: exit=${index % 2}`, { label: `${index} ${"label".repeat(35)}` }));
  }
  const told: string[] = [];
  for (let cursor = "", calls = 0; told.length < ids.length; calls++) {
    assert.ok(calls < 10);
    const answer = await swarm.call("codex_wait", { task_ids: ids, cursor });
    const news = toldIds(answer);
    assert.ok(news.length > 0);
    assert.deepEqual([...answer.text.matchAll(/=== Task ([0-9a-f]{8}) \(/g)].map((match) => match[1]), news);
    assert.ok(answer.text.length <= 10_000 && JSON.stringify(answer.structured).length <= 10_000);
    told.push(...news);
    cursor = answer.structured.cursor;
    const open = ids.filter((id) => !told.includes(id));
    assert.ok(calls > 0 || open.length > 0);
    assert.equal(answer.structured.next.includes(`task_ids=${JSON.stringify(open)}`), open.length > 0);
  }
  assert.deepEqual(told, ids);
});

Deno.test("F12: codex_wait returns at the client's limit and stops nothing", async () => {
  await using swarm = await startSwarm({ args: ["--max-wait", "0.1"] });
  const id = await startTask(swarm, "fake:hold(go) fake:say(done)");
  await waitForStatus(swarm, id, "running");
  for (const timeout of [undefined, null, 1, 1_800]) {
    const { text, structured, isError } = await swarm.call("codex_wait", { task_ids: [id], timeout });
    assert.equal(
      text,
      `=== Task ${id} === STILL RUNNING (wait timed out, task is NOT killed -- call codex_wait again to resume waiting)`,
    );
    assert.deepEqual(structured, {
      tasks: [],
      running: [id],
      cursor: "",
      next:
        `STILL RUNNING, queued or not told yet; nothing was stopped. Call codex_wait(task_ids=["${id}"], cursor="").`,
    });
    assert.equal(isError, false);
  }
  await release(swarm, "go");
  await waitForStatus(swarm, id, "completed");
  const { structured } = await swarm.call("codex_wait", { task_ids: [id] });
  assert.deepEqual(toldIds({ structured }), [id]);
});

Deno.test("codex_wait says of a queued task that it is queued, and of a time-out only what is true", async () => {
  await using swarm = await startSwarm({ args: ["--max-concurrent", "1", "--max-wait", "0.3"] });
  const running = await startTask(swarm, "fake:hold(go) fake:say(done)");
  await waitForStatus(swarm, running, "running");
  const queued = await startTask(swarm, "fake:hold(never)");
  const last = await startTask(swarm, "fake:hold(never)");
  const hint = "task is NOT killed -- call codex_wait again to resume waiting)";
  const task_ids = [running, queued, last];
  assert.deepEqual((await swarm.call("codex_wait", { task_ids })).text.split("\n\n"), [
    `=== Task ${running} === STILL RUNNING (wait timed out, ${hint}`,
    `=== Task ${queued} (queued, position 1) === STILL QUEUED (wait timed out, ${hint}`,
    `=== Task ${last} (queued, position 2) === STILL QUEUED (wait timed out, ${hint}`,
  ]);
  await release(swarm, "go");
  await waitForStatus(swarm, queued, "running");
  const { text, structured } = await swarm.call("codex_wait", { task_ids, until: "any" });
  assert.deepEqual(toldIds({ structured }), [running]);
  assert.deepEqual(text.split("\n\n").slice(1), [
    `=== Task ${queued} === STILL RUNNING (${hint}`,
    `=== Task ${last} (queued, position 1) === STILL QUEUED (${hint}`,
  ]);
  for (const task_id of [last, queued]) await swarm.call("codex_cancel", { task_id });
});

Deno.test("codex_wait waits as long as asked, but at least CODEX_SWARM_MIN_WAIT", async () => {
  await using swarm = await startSwarm({ env: { CODEX_SWARM_MIN_WAIT: "0.2" } });
  const id = await startTask(swarm, "fake:hold(never)");
  for (const [timeout, leastMs] of [[0.01, 200], [0.3, 300]] as const) {
    const from = performance.now();
    await swarm.call("codex_wait", { task_ids: [id], timeout });
    const took = performance.now() - from;
    assert.ok(took >= leastMs && took < leastMs + 5_000, `${took}`);
  }
  await swarm.call("codex_cancel", { task_id: id });
});

Deno.test("F11: codex_wait that the client cancels leaves the tasks alone", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:hold(go) fake:say(done)");
  const cancelling = new AbortController();
  const began = Promise.withResolvers<void>();
  const wait = swarm.call("codex_wait", { task_ids: [id] }, {
    signal: cancelling.signal,
    onProgress: () => began.resolve(),
  });
  await began.promise;
  cancelling.abort();
  await assert.rejects(wait);
  await waitForStatus(swarm, id, "running");
  await release(swarm, "go");
  assert.equal((await waitForStatus(swarm, id, "completed")).answer, "done");
  assert.deepEqual(codex.ledger().map(({ exitCode }) => exitCode), [0]);
});

Deno.test("codex_wait that was cancelled tells no end to anybody", async () => {
  const task = finish(TASK, {
    at: new Date(1_000),
    outcome: { status: "cancelled", exitCode: null, statusInferred: false },
    progress: emptyProgress(),
  });
  const directory = new TaskDirectory("/tasks", task.id);
  const read: string[] = [];
  const services = toolServices({
    view: () =>
      Promise.resolve({
        task,
        progress: task.state.progress,
        answer: null,
        queuePosition: null,
        waitingUntil: null,
        isProbeAwaited: false,
        lastEventAt: null,
        silence: null,
        isShimLost: false,
        unnotedEnd: null,
        agentPid: null,
        directory,
      }),
    ended: () => Promise.resolve(),
    markRead: (id) => Promise.resolve(void read.push(id)),
  });
  const signal = AbortSignal.abort(new Error("cancelled"));
  await assert.rejects(codexWait.handle({ task_ids: [task.id] }, toolCall({ signal }), services), /cancelled/);
  assert.deepEqual(read, []);
  await codexWait.handle({ task_ids: [task.id] }, toolCall(), services);
  assert.deepEqual(read, [task.id]);
});

/** Everything the client received for one call: its progress, and what came after the response. */
function wire(swarm: Swarm): { readonly progress: { progress: number; message: string }[]; readonly isLast: boolean } {
  const { received } = swarm.process;
  const progress = received.filter(({ method }) => method === "notifications/progress");
  const response = received.findLastIndex(({ result }) => result !== undefined);
  return {
    progress: progress.map(({ params }) => JSON.parse(JSON.stringify(params))),
    isLast: received.slice(response + 1).length === 0,
  };
}

Deno.test("codex_wait and codex report progress at once, and nothing after the answer", async () => {
  await using swarm = await startSwarm();
  const slow = await startTask(swarm, "fake:hold(go) fake:say(done)", { label: "slow" });
  const quick = await startTask(swarm, "fake:say(done)");
  await waitForStatus(swarm, quick, "completed");
  const first = Promise.withResolvers<string>();
  const wait = swarm.call("codex_wait", { task_ids: [slow, quick] }, { onProgress: first.resolve });
  assert.match(await first.promise, /^1\/2 done; slow: (starting|running)$/);
  await release(swarm, "go");
  await wait;

  const begun = Promise.withResolvers<string>();
  const run = swarm.call("codex", { prompt: "fake:say(x) fake:sleep(0.1)", label: "fast" }, {
    onProgress: begun.resolve,
  });
  assert.match(await begun.promise, /^fast: (queued|starting|running).* \(\d+s elapsed\)$/);
  await run;
  // A call that asks for no progress gets none.
  await swarm.call("codex", { prompt: "fake:say(y)" });
  await swarm.client.ping();
  const { progress, isLast } = wire(swarm);
  assert.deepEqual([progress.length, isLast], [2, true]);
});

Deno.test("codex_wait tells an end even when very many others still run", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, clientName: "codex-mcp-client", args: ["--max-concurrent", "1"] });
  const first = await startTask(swarm, "quick:");
  await waitForStatus(swarm, first, "completed");
  const ids = await Promise.all(Array.from({ length: 90 }, () => startTask(swarm, "quick: seconds=600")));
  const { text, structured } = await swarm.call("codex_wait", { task_ids: [...ids, first], until: "any" });
  assert.deepEqual(toldIds({ structured }), [first]);
  assert.ok(text.includes(`=== Task ${first} (completed in `), text);
  assert.ok(text.length <= 10_000 && JSON.stringify(structured).length <= 10_000, `${text.length}`);
  await Promise.all(ids.toReversed().map((task_id) => swarm.call("codex_cancel", { task_id })));
});

Deno.test("codex_wait takes no task for told that has not ended", async () => {
  await using swarm = await startSwarm({ args: ["--max-wait", "0.1"] });
  const id = await startTask(swarm, "fake:hold(go) fake:say(done)");
  const { text, structured } = await swarm.call("codex_wait", { task_ids: [id], cursor: `${id},nonsense` });
  assert.match(text, /STILL RUNNING/);
  assert.deepEqual([structured.running, structured.cursor], [[id], ""]);
  await release(swarm, "go");
  await waitForStatus(swarm, id, "completed");
  assert.deepEqual(toldIds(await swarm.call("codex_wait", { task_ids: [id], cursor: structured.cursor })), [id]);
});

Deno.test("codex_wait refuses a timeout that is no time", async () => {
  await using swarm = await startSwarm();
  for (const timeout of [0, -1]) {
    const { text, isError } = await swarm.call("codex_wait", { task_ids: ["0123abcd"], timeout });
    assert.equal(isError, true);
    assert.match(text, /^Cannot call codex_wait: timeout: must be more than 0, or null\. /);
  }
});
