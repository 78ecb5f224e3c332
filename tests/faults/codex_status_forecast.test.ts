/** What a client is told by codex_status of agents that change the same files. */
import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { waitForTask } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { startWork, worked } from "../helpers/worked.ts";

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "codex_status tells which agents change the same files, running or ended, and which conflict",
  ignore,
}, async () => {
  await using repo = await tempRepo({ files: { shared: "1\n2\n3\n4\n5\n6\n7\n8\n9\n" } });
  await using elsewhere = await tempRepo({ files: { shared: "1\n2\n3\n" } });
  await using swarm = await startSwarm({ cwd: repo.path });
  const [top = "", clash = "", bottom = "", alone = ""] = await worked(
    swarm,
    "sed -i s/1/one/ shared",
    "sed -i s/1/uno/ shared",
    "echo ten >>shared",
    "echo alone >alone",
  );
  const running = await startWork(swarm, "rm shared", { goesOn: `fake:say(ready) fake:hold(${swarm.cwd}/go)` });
  const far = await startWork(swarm, "sed -i s/1/one/ shared", { cwd: elsewhere.path });
  await waitForTask(swarm, running, ({ answer }) => answer === "ready");
  await waitForTask(swarm, far, ({ status }) => status === "completed");
  const ids = [top, clash, bottom, alone, running, far];
  // What is not known in time is told the next time.
  const told = await waitFor(async () => {
    const answer = await swarm.call("codex_status", { task_ids: ids });
    return answer.structured.tasks[4].overlaps?.length === 3 ? answer : null;
  }, { message: "the forecast" });
  const words = told.structured.tasks.map(({ overlaps = [] }: Record<string, Record<string, unknown>[]>) =>
    overlaps?.map(({ task_id, files, conflicts }) => `${task_id} ${files} ${conflicts ?? "-"}`).sort()
  );
  assert.deepEqual(words, [
    [`${clash} shared shared`, `${running} shared shared`, `${bottom} shared -`].sort(),
    [`${top} shared shared`, `${running} shared shared`, `${bottom} shared -`].sort(),
    [`${top} shared -`, `${running} shared shared`, `${clash} shared -`].sort(),
    [],
    [`${top} shared shared`, `${clash} shared shared`, `${bottom} shared shared`].sort(),
    [],
  ]);
  assert.ok(told.text.includes(`CONFLICTS with task ${clash}: shared`));
  assert.ok(told.text.includes(`Changes the same files as task ${bottom}, without conflict so far: shared`));
  // Also where there is room for no more than a line.
  const list = (await swarm.call("codex_status", { all: true })).structured.tasks;
  const conflicting = (id: string): string[] =>
    list.find(({ task_id }: { task_id: string }) => task_id === id).conflicts_with?.sort();
  assert.deepEqual([conflicting(bottom), conflicting(clash), conflicting(alone)], [
    [running],
    [running, top].sort(),
    undefined,
  ]);
});

Deno.test(
  { name: "codex_status stays within bounds when very many agents change very many files", ignore },
  async () => {
    const directory = Array(3).fill("d".repeat(200)).join("/");
    await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
    const script = (index: number): string =>
      `mkdir -p ${directory}; for name in $(seq 12); do echo ${index} >${directory}/$name; done`;
    const ids = await worked(swarm, ...Array.from({ length: 14 }, (_, index) => script(index)));
    for (const count of [1, 2, 5, ids.length]) {
      const answer = await waitFor(async () => {
        const { structured, text } = await swarm.call("codex_status", { task_ids: ids.slice(0, count) });
        const told = structured.tasks[0].overlaps ?? structured.tasks[0].conflicts_with;
        return count === 1 || told?.length === Math.min(5, count - 1) ? { structured, text } : null;
      }, { message: "the forecast" });
      assert.ok(Math.max(answer.text.length, JSON.stringify(answer.structured).length) <= 10_000);
      assert.deepEqual(answer.structured.tasks.map(({ task_id }: { task_id: string }) => task_id), ids.slice(0, count));
    }
    const log = swarm.process.stderr;
    assert.doesNotMatch(log, /longer than its parts/);
  },
);
