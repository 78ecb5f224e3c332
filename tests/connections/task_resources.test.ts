import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { eventsFile, readAllEvents, readEvents, refusedRead } from "../helpers/task_resources.ts";
import { lookAt, release, startTask, waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { worked } from "../helpers/worked.ts";

const UNKNOWN = /^Unknown resource: .*\. codex-swarm:\/\/\/tasks lists the tasks that are known/;

Deno.test("the templates of resources are listed, and each says what it holds", async () => {
  await using swarm = await startSwarm();
  const { resourceTemplates } = await swarm.client.listResourceTemplates();
  assert.deepEqual(
    resourceTemplates.map(({ uriTemplate, mimeType }) => ({ uriTemplate, mimeType })),
    ["codex-swarm:///tasks/{id}", "codex-swarm:///tasks/{id}/events{?after}", "codex-swarm:///tasks/{id}/diff"].map(
      (uriTemplate) => ({ uriTemplate, mimeType: "application/json" }),
    ),
  );
  for (const { description } of resourceTemplates) assert.ok((description ?? "").length > 20);
});

for (const era of ["2025", "2026"] as const) {
  Deno.test(`a task's resource tells what codex_status does, with the whole of a long answer (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    const running = await startTask(swarm, "fake:command(make) fake:hold(go)", { label: "one" });
    await waitFor(async () => (await lookAt(swarm, running)).last_command, { message: "the command" });
    const { elapsed_seconds: _1, silent_seconds: _2, ...told } = await lookAt(swarm, running);
    const { elapsed_seconds: _3, silent_seconds: _4, ...read } = await swarm.resource(`tasks/${running}`);
    assert.deepEqual(read, told);

    const ended = await startTask(swarm, "fake:huge(300000)");
    await waitFor(async () => (await swarm.resource(`tasks/${ended}`)).status === "completed", { message: "the end" });
    const { answer, ...rest } = await swarm.resource(`tasks/${ended}`);
    assert.equal(answer, "x".repeat(300_000));
    const { answer: cut, ...facts } = await lookAt(swarm, ended);
    assert.ok(cut.length < 30_000);
    assert.deepEqual(rest, facts);
    await release(swarm, "go");
    await waitForStatus(swarm, running, "completed");
  });
}

Deno.test("a task's events, read in pieces, are exactly those of its file", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(
    swarm,
    "fake:flood(150) fake:search(q) fake:unknown_event fake:huge(40000) fake:hold(go) fake:huge(50000) fake:huge(30000) " +
      "fake:invalid_utf8 fake:duplicate_keys fake:torn(1)",
  );
  const path = eventsFile(swarm, id);
  // Written up to the hold.
  await waitFor(() => Deno.readTextFileSync(path).includes("x".repeat(40_000)), { message: "the first events" });
  const first = await readAllEvents(swarm, id);
  const next = first.at(-1)?.next ?? 0;
  assert.equal(first.at(-1)?.status, "running");
  assert.equal(next, Deno.statSync(path).size);
  assert.deepEqual((await readEvents(swarm, id, next)).events, []);
  await release(swarm, "go");
  await waitForStatus(swarm, id, "failed");
  const second = await readAllEvents(swarm, id, next);
  const reads = [...first, ...second];
  for (const { events, task_id } of reads) assert.ok(events.length <= 200 && task_id === id);
  assert.ok(reads.length > 3, `${reads.length}`);
  const lines = Deno.readTextFileSync(path).split("\n");
  const parsed = lines.map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      return line;
    }
  });
  assert.deepEqual(reads.flatMap(({ events }) => events), parsed);
  assert.equal(parsed.filter((event) => typeof event === "string").length, 2);
  assert.equal(second.at(-1)?.next, Deno.statSync(path).size);
});

Deno.test("an event that is too long for one read is told by its ends, with the file that has all of it", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:huge(300000)");
  await waitForStatus(swarm, id, "completed");
  const reads = await readAllEvents(swarm, id);
  const cut = reads.find(({ whole }) => whole !== undefined);
  assert.equal(cut?.whole, eventsFile(swarm, id));
  assert.match(String(cut?.events[0]), /bytes in all, the middle is left out/);
  assert.ok(reads.at(-1)?.events.some((event) => JSON.stringify(event).includes("turn.completed")));
});

Deno.test("what was dropped of a huge log is told where it stood", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:flood(100)");
  await waitForStatus(swarm, id, "completed");
  const whole = (await readAllEvents(swarm, id)).flatMap(({ events }) => events);
  const path = eventsFile(swarm, id);
  const bytes = Deno.readFileSync(path);
  const [start, end] = [4_100, 20_500];
  Deno.writeFileSync(path, bytes.fill(0, start, end));
  Deno.writeTextFileSync(path.replace(".jsonl", ".dropped"), `${start} ${end}\n`);
  const reads = await readAllEvents(swarm, id);
  assert.equal(reads.length, 2);
  const [before, behind] = reads;
  assert.equal(before?.dropped_bytes, undefined);
  assert.ok((behind?.dropped_bytes ?? 0) >= end - start, JSON.stringify(behind?.dropped_bytes));
  assert.deepEqual(before?.events, whole.slice(0, before?.events.length));
  assert.deepEqual(behind?.events, whole.slice(-(behind?.events.length ?? 0)));
});

Deno.test("a task's diff is what codex_diff tells of it, with the patch", async () => {
  await using swarm = await startSwarm();
  const [id = ""] = await worked(swarm, "echo one >made");
  const { structured } = await swarm.call("codex_diff", { task_id: id, format: "patch" });
  assert.match(structured.patch, /\+one/);
  assert.deepEqual(await swarm.resource(`tasks/${id}/diff`), structured);

  const plain = await startTask(swarm, "fake:say(done)");
  await waitForStatus(swarm, plain, "completed");
  const { code, message } = await refusedRead(swarm, `codex-swarm:///tasks/${plain}/diff`);
  assert.equal(code, -32602);
  assert.match(message, /it worked in no worktree of its own\. Run git diff in /);
});

for (const era of ["2025", "2026"] as const) {
  Deno.test(`a URI of no task, or spelled oddly, is not found, and tells where the tasks are (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    const id = await startTask(swarm, "fake:say(done)");
    await waitForStatus(swarm, id, "completed");
    const base = "codex-swarm:///tasks";
    const odd = [
      ...[`${base}/00000000`, `${base}/00000000/events`, `${base}/00000000/diff`, `${base}/`, `${base}/../tasks`],
      ...[`${base}/${id}/`, `${base}/${id}/state`, `${base}/${id}/events/`, `${base}/${id}/events/more`],
      ...[
        `${base}/${id}?after=0`,
        `${base}/${id}/diff?after=0`,
        `${base}/${id}/events?before=0`,
        `${base}/${id}/events?`,
      ],
      ...[`${base}/${id}/../${id}`, `${base}/%2e%2e/${id}`, `${base}/${encodeURIComponent(`../${id}`)}`],
      ...[`${base}/%${id.charCodeAt(0).toString(16)}${id.slice(1)}`, `${base}/${id}%00`, `${base}/${id}\n`],
      ...[`${base}//${id}`, `codex-swarm://tasks/${id}`, `CODEX-SWARM:///tasks/${id}`, `file:///${id}`, ""],
      ...[`${base}/ABCDEF01`, `${base}/${id}#x`, `${base}/${id}${"0".repeat(5_000)}`],
    ];
    for (const uri of odd) {
      const { code, message, data } = await refusedRead(swarm, uri);
      assert.deepEqual([code, data], [-32602, { uri }], uri);
      assert.match(message, UNKNOWN, uri);
      assert.ok(message.length < 600);
    }
    for (const after of ["-1", "1.5", "x", "", "1e3", "0x1", "1", "%30", "0&x=1", "999999999", "9".repeat(400)]) {
      const { code, message } = await refusedRead(swarm, `${base}/${id}/events?after=${after}`);
      assert.equal(code, -32602, after);
      assert.match(message, /^Cannot read events after .*leave after out to begin with the first event\.$/, after);
    }
    assert.deepEqual(await swarm.resource(`tasks/${id}/events?after=0`), await swarm.resource(`tasks/${id}/events`));
  });
}
