import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type Answer, taskIdOf, tasksOf } from "./answers.ts";
import { FLOOR, OURS } from "./contestants.ts";
import { countRightCodes, startAgents, waitForAll } from "./crowd.ts";
import { Gates } from "./gates.ts";
import { interleave } from "./rounds.ts";
import { Yard } from "./yard.ts";

const TINY_PEER = fileURLToPath(new URL("./tiny_peer.ts", import.meta.url));

Deno.test("the bench drives a peer that answers in words only", async () => {
  await using homes = await tempDirectory();
  await using yard = await Yard.open({
    name: "peer 1",
    command: [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", "--no-check", TINY_PEER],
    isOurs: false,
    homes: homes.path,
  });
  const { server } = yard;
  assert.deepEqual(
    [server.name, server.has("codex_wait"), server.has("codex_cancel")],
    ["tiny-peer 1.0.0", true, false],
  );
  await using gates = await Gates.open(3);
  const ids = await startAgents(server, [0, 1, 2].map((gate) => gates.prompt(gate, `exit=${gate}`)));
  await gates.arrived();
  const running = tasksOf(await server.call("codex_status", { task_ids: ids }));
  assert.deepEqual([...running.values()].map(({ status }) => status), ["running", "running", "running"]);
  await gates.step(1);
  for (const gate of [0, 1, 2]) gates.release(gate);
  assert.equal(countRightCodes(ids, await waitForAll(server, ids), (index) => index), 3);
});

Deno.test("agents at a gate go on when the gate is gone, and those that come later do not wait", async () => {
  await using homes = await tempDirectory();
  const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", "--no-check", TINY_PEER];
  await using yard = await Yard.open({ name: "peer 1", command, isOurs: false, homes: homes.path });
  const gates = await Gates.open(1);
  const [before] = await startAgents(yard.server, [gates.prompt(0)]);
  await gates.arrived();
  await gates[Symbol.asyncDispose]();
  const [after] = await startAgents(yard.server, [gates.prompt(0)]);
  const ids = [before ?? "", after ?? ""];
  assert.equal(countRightCodes(ids, await waitForAll(yard.server, ids), () => 0), 2);
});

function answerOf(text: string, structured?: unknown): Answer {
  return { text, structured, isError: false, ms: 0, receivedAt: 0 };
}

Deno.test("an answer is read from its data, and from its words where these say more", () => {
  assert.equal(taskIdOf(answerOf("", { task_id: "a1" })), "a1");
  assert.equal(taskIdOf(answerOf("Codex task started in background.\nTask ID: a2\n")), "a2");
  assert.equal(taskIdOf(answerOf("Codex task a3 started.")), "a3");
  assert.throws(() => taskIdOf(answerOf("Cannot start: no Codex")), /Cannot start: no Codex/);
  const words = [
    "=== Task a1 (completed in 3s) ===\nThread ID: t",
    "=== Task a2 (FAILED in 3s, exit 7) ===",
    "=== Task a3 (CANCELLED after 3s) ===",
    "=== Task a4 === STILL RUNNING (wait timed out)",
    "=== Task a5 (12s elapsed) ===",
    "=== Task a7 === not found",
  ];
  const told = {
    a1: { status: "completed", exitCode: 0 },
    a2: { status: "failed", exitCode: 7 },
    a3: { status: "cancelled", exitCode: null },
    a4: { status: "running", exitCode: null },
    a5: { status: "running", exitCode: null },
    a7: { status: "not found", exitCode: null },
  };
  assert.deepEqual(Object.fromEntries(tasksOf(answerOf(words.join("\n\n")))), told);
  const tasks = [{ task_id: "a2", status: "failed" }, { task_id: "a6", status: "completed", exit_code: 0 }];
  assert.deepEqual(Object.fromEntries(tasksOf(answerOf(words.join("\n\n"), { tasks }))), {
    a2: told.a2,
    a6: { status: "completed", exitCode: 0 },
  });
});

Deno.test("interleave() goes A B B A, drops the first round, and a peer that fails", async () => {
  const order: string[] = [];
  const entrant = (name: string, isPeer: boolean): Parameters<typeof interleave>[0][number] => ({
    name,
    isPeer,
    sample: () => {
      order.push(name);
      if (isPeer && order.length > 3) return Promise.reject(new Error("gone"));
      return Promise.resolve([order.length]);
    },
  });
  const { rounds, dropped } = await interleave(
    [entrant(FLOOR, false), entrant(OURS, false), entrant("peer 1", true)],
    1,
  );
  assert.deepEqual(order, [FLOOR, OURS, "peer 1", "peer 1", OURS, FLOOR, FLOOR, OURS, OURS, FLOOR]);
  assert.deepEqual(Object.fromEntries(rounds), { [FLOOR]: [[7, 10]], [OURS]: [[8, 9]] });
  assert.deepEqual(dropped, ["peer 1: gone"]);
});
