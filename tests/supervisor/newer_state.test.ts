import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** All files below a directory with their contents. */
async function treeOf(directory: string, inside = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(join(directory, inside))) {
    const path = join(inside, name);
    if (isDirectory) Object.assign(tree, await treeOf(directory, path));
    else tree[path] = await Deno.readTextFile(join(directory, path));
  }
  return tree;
}

Deno.test("F9: the state of a newer program is looked at and left as it is, with the way out for whoever wants more", async () => {
  await using codex = await installFakeCodex();
  await using first = await startSwarm({ codex });
  const { stateDir, cwd } = first;
  const { structured: { task_id: done, threadId } } = await first.call("codex", { prompt: "fake:say(done)" });
  const running = await startTask(first, "fake:say(half) fake:hold(go)");
  await waitForTask(first, running, (task) => task.answer === "half");
  const newer = join(stateDir, "tasks", "99999999");
  await Deno.mkdir(newer);
  await Deno.writeTextFile(join(newer, "task.json"), JSON.stringify({ format: 99, id: "99999999" }));
  first.process.kill("SIGKILL");
  await first.process.ended;
  await Deno.writeTextFile(join(stateDir, "format"), "99\n");
  const before = await treeOf(stateDir);

  await using swarm = await startSwarm({ codex, stateDir, cwd });
  const { structured: { tasks } } = await swarm.call("codex_status", { task_ids: [done, running, "99999999"] });
  assert.deepEqual(
    tasks.map(({ status, answer }: { readonly status: string; readonly answer: string }) => [status, answer]),
    [["completed", "done"], ["running", "half"], ["error", undefined]],
  );
  assert.match(tasks[2].error, /format 99 is newer than this program's \d+: update codex-swarm/);
  assert.match((await swarm.call("codex_status")).text, new RegExp(running));
  for (
    const call of [
      swarm.call("codex", { prompt: "fake:say(never)" }),
      swarm.call("codex_async", { prompt: "fake:say(never)" }),
      swarm.call("codex_reply", { threadId, prompt: "fake:say(never)" }),
      swarm.call("codex_cancel", { task_id: running }),
    ]
  ) {
    const { text, isError } = await call;
    assert.equal(isError, true);
    assert.match(
      text,
      /written by a newer codex-swarm\. Update codex-swarm, or name another directory with --state-dir/,
    );
  }
  const after = await treeOf(stateDir);
  // The server's own log says what it is, and the shim of the agent that runs has its own to write.
  for (const tree of [before, after]) {
    delete tree[join("logs", "codex-swarm.log")];
    delete tree[join("tasks", running, "oom")];
  }
  assert.deepEqual(after, before);
  await release(swarm, "go");
  const ended = await waitForTask(swarm, running, (task) => task.phase !== "running");
  assert.equal(ended.phase, "agent has ended (exit code 0), which its server has not noted yet");
});

Deno.test("F9: a server stops its own agents after a newer program has come, and ends as ever", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--orphan-grace", "1h"] });
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
  const call = swarm.call("codex", { prompt: "fake:hold(never)" }).catch(() => null);
  await waitFor(() => codex.ledger().length === 2, { message: "both agents to run" });
  await Deno.writeTextFile(join(swarm.stateDir, "format"), "99\n");
  const { text } = await swarm.call("codex_cancel", { task_id: id });
  assert.equal(text, `Task ${id}: Task cancelled`);
  await swarm.process.closeInput();
  assert.equal((await swarm.process.ended).code, 0);
  await call;
  await using next = await startSwarm({ codex, stateDir: swarm.stateDir, cwd: swarm.cwd });
  const { structured: { tasks } } = await next.call("codex_status");
  const statuses = tasks.map(({ status }: { readonly status: string }) => status);
  assert.deepEqual(statuses.sort(), ["cancelled", "interrupted"]);
});
