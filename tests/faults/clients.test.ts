/** Clients leave and terminals close: what becomes of the agents is what was asked for, and the server never stays. */
import assert from "node:assert/strict";
import { makeGate } from "../helpers/gate.ts";
import { isAlive } from "../helpers/processes.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { lookAt, startTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
/** Five times what it may take: other tests run beside this one. */
const SOON_MS = 10_000;

/** What a client's agents do when it has left. */
const LEAVINGS = [
  { what: "a detached agent goes on", args: [], tool: "codex_async", goesOn: true },
  { what: "with --on-exit stop it ends too", args: ["--on-exit", "stop"], tool: "codex_async", goesOn: false },
  { what: "with --on-exit keep even that of a call goes on", args: ["--on-exit", "keep"], tool: "codex", goesOn: true },
  { what: "that of a call ends with it (control)", args: [], tool: "codex", goesOn: false },
];

Deno.test({
  name: "F10: when a client leaves in the middle of a wait, its server ends and its agents as was asked",
  ignore,
}, async (t) => {
  await using yard = await serversYard({ isQuick: true });
  await using gate = await makeGate();
  await using next = await yard.start();
  for (const [index, { what, args, tool, goesOn }] of LEAVINGS.entries()) {
    await t.step(what, async () => {
      await using first = await yard.start({ args });
      // Nobody hears the answers.
      const call = first.call(tool, { prompt: `quick: gate=${gate.path}` }).catch(() => undefined);
      const { pid, threadId } = await waitFor(() => yard.codex.ledger()[index], { message: "the agent to work" });
      const { task_id: id } = await waitFor(async () => {
        const { structured } = await next.call("codex_status");
        return structured.tasks.find((task: { readonly thread_id?: string }) => task.thread_id === threadId);
      }, { message: "its task to be seen" });
      const wait = first.call("codex_wait", { task_ids: [id] }).catch(() => undefined);
      await first.client.ping();
      const before = performance.now();
      await first.process.closeInput();
      assert.equal((await first.process.ended).code, 0);
      assert.ok(performance.now() - before < SOON_MS, "the server stayed");
      assert.deepEqual(first.process.strayLines, []);
      await Promise.all([call, wait]);
      assert.equal(await isAlive(pid), goesOn);
      if (goesOn) {
        assert.equal((await lookAt(next, id)).status, "running");
        await gate.open(1);
      }
      await next.call("codex_wait", { task_ids: [id] });
      const { status, exit_code, stop_reason } = await lookAt(next, id);
      const expected = goesOn ? ["completed", 0, undefined] : ["interrupted", 130, "server_exit"];
      assert.deepEqual([status, exit_code, stop_reason], expected);
    });
  }
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  Deno.test(
    { name: `F39: a server ends on ${signal}, its detached agents go on, and its log says how many`, ignore },
    async () => {
      await using yard = await serversYard({ isQuick: true });
      await using gate = await makeGate();
      await using server = await yard.start({ args: ["--log-level", "INFO"] });
      const ids = [
        await startTask(server, `quick: gate=${gate.path}`),
        await startTask(server, `quick: gate=${gate.path}`),
      ];
      await waitFor(() => yard.codex.ledger().length === 2, { message: "the agents to work" });
      const bound = server.call("codex", { prompt: `quick: gate=${gate.path}` }).catch(() => undefined);
      const pids = await waitFor(() => {
        const runs = yard.codex.ledger();
        return runs.length === 3 && runs.map(({ pid }) => pid);
      }, { message: "the third agent to work" });
      const before = performance.now();
      server.process.kill(signal);
      assert.equal((await server.process.ended).code, 0);
      assert.ok(performance.now() - before < SOON_MS, "the server stayed");
      await bound;
      const log = await Deno.readTextFile(`${yard.stateDir}/logs/codex-swarm.log`);
      assert.match(log, new RegExp(`the server ends reason="${signal}"`));
      assert.match(log, /agents at the end of the server stopped=1 left=2/);
      assert.deepEqual(await Promise.all(pids.map(isAlive)), [true, true, false]);
      await gate.open(2);
      await using next = await yard.start();
      await next.call("codex_wait", { task_ids: ids });
      for (const id of ids) assert.equal((await lookAt(next, id)).exit_code, 0);
    },
  );
}
