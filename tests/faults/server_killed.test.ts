/** The server is killed while agents work: they go on, and the next server knows how each of them ended. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Gate, makeGate } from "../helpers/gate.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { lookAt, startTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const AGENTS = 50;

/** Starts a detached task for each prompt, at the gate, and kills their server as soon as all of them work. */
async function startAndKill(yard: ServersYard, gate: Gate, words: readonly string[]): Promise<string[]> {
  await using server = await yard.start({ args: ["--max-concurrent", String(words.length)] });
  const ids = await Promise.all(words.map((word) => startTask(server, `quick: gate=${gate.path} ${word}`)));
  await waitFor(() => yard.codex.ledger().length === words.length, { message: "all agents to work" });
  await killServer(server);
  return ids;
}

async function untilAllEnded(yard: ServersYard, ids: readonly string[]): Promise<void> {
  const exits = ids.map((id) => join(yard.task(id), "exit"));
  const isWhole = (path: string): Promise<boolean> => Deno.readTextFile(path).then((text) => text.endsWith("\n"));
  await waitFor(async () => !(await Promise.all(exits.map(isWhole))).includes(false), { message: "all exits" });
}

Deno.test(
  { name: "F1: fifty agents outlive their server, and the next one gives every exit code", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using gate = await makeGate();
    const codes = Array.from({ length: AGENTS }, (_, index) => index * 5);
    const ids = await startAndKill(yard, gate, codes.map((code) => `exit=${code}`));
    await using next = await yard.start();
    const before = performance.now();
    const { structured } = await next.call("codex_status", { task_ids: ids });
    const tookMs = performance.now() - before;
    assert.deepEqual(structured.tasks.map(({ status }: { status: string }) => status), ids.map(() => "running"));
    assert.ok(tookMs < 5_000, `the list took ${tookMs} ms`);
    const living = new Set((await listProcesses()).filter(({ isZombie }) => !isZombie).map(({ pid }) => pid));
    assert.ok(yard.codex.ledger().every(({ pid }) => living.has(pid)), "an agent went with its server");
    await gate.open(AGENTS);
    await next.call("codex_wait", { task_ids: ids });
    const ends = await Promise.all(ids.map((id) => lookAt(next, id)));
    assert.deepEqual(ends.map(({ exit_code }) => exit_code), codes);
  },
);

Deno.test(
  { name: "F1: an agent that is bound to its server goes with it when that is killed (control)", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using gate = await makeGate();
    await using server = await yard.start({ args: ["--orphan-grace", "0"] });
    const call = server.call("codex", { prompt: `quick: gate=${gate.path}` }).catch(() => undefined);
    const { pid } = await waitFor(() => yard.codex.ledger()[0], { message: "the agent to work" });
    await killServer(server);
    await call;
    await waitFor(async () => !await isAlive(pid), { message: "the agent to end" });
  },
);

/** How agents end while nobody looks, and what is told of it later. */
const ENDS = [
  { words: "exit=0", status: "completed", exit_code: 0 },
  { words: "exit=3", status: "failed", exit_code: 3 },
  { words: "exit=137", status: "failed", exit_code: 137 },
  { words: "signal=KILL", status: "failed", exit_code: 137 },
  { words: "signal=SEGV", status: "failed", exit_code: 139 },
];

Deno.test(
  { name: "F2: each way to end is told exactly by a server that was not there, and by no guess", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using gate = await makeGate();
    const all = await startAndKill(yard, gate, [...ENDS, ...ENDS].map(({ words }) => words));
    const [ids, control] = [all.slice(0, ENDS.length), all.slice(ENDS.length)];
    const before = Date.now();
    await gate.open(all.length);
    await untilAllEnded(yard, all);
    const after = Date.now();
    // Without what their shims have noted nobody may claim to know the exit codes of these (control).
    for (const id of control) await Deno.remove(join(yard.task(id), "exit"));
    await using next = await yard.start();
    await next.call("codex_wait", { task_ids: all });
    const ends = await Promise.all(ids.map((id) => lookAt(next, id)));
    assert.deepEqual(
      ends.map(({ status, exit_code }, index) => ({ words: ENDS[index]?.words, status, exit_code })),
      ENDS,
    );
    for (const { ended_at, status_inferred } of ends) {
      assert.notEqual(status_inferred, true);
      const at = Date.parse(ended_at);
      assert.ok(at > before - 1_000 && at < after + 1_000, `${ended_at} is not between ${before} and ${after}`);
    }
    assert.match(ends[3].failure.message, /137 \(SIGKILL or its own exit 137\)/);
    assert.match(ends[4].failure.message, /139 \(SIGSEGV/);
    const guesses = await Promise.all(control.map((id) => lookAt(next, id)));
    assert.deepEqual(
      guesses.map(({ status, exit_code, status_inferred }) => ({ status, exit_code, status_inferred })),
      [
        { status: "completed", exit_code: null, status_inferred: true },
        { status: "failed", exit_code: null, status_inferred: true },
        { status: "failed", exit_code: null, status_inferred: true },
        { status: "interrupted", exit_code: null, status_inferred: undefined },
        { status: "interrupted", exit_code: null, status_inferred: undefined },
      ],
    );
  },
);
