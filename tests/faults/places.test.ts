/** Directories are moved, deleted or taken away under agents and servers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { MAIN } from "../helpers/server_process.ts";
import { killServer, serversYard } from "../helpers/servers_yard.ts";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const ignore = Deno.build.os === "windows";

async function makeRepo(path: string): Promise<void> {
  const { success } = await new Deno.Command("git", { args: ["init", "--quiet", path] }).output();
  assert.ok(success);
}

/** An agent in a directory of its own that works until `release(swarm, "go")`. */
async function startIn(swarm: Swarm, cwd: string): Promise<{ readonly id: string; readonly threadId: string }> {
  const id = await startTask(swarm, `fake:hold(${join(swarm.cwd, "go")}) fake:say(done)`, { cwd });
  const { thread_id: threadId } = await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
  return { id, threadId };
}

for (
  const { what, take } of [
    { what: "moved", take: (path: string) => Deno.rename(path, `${path}_moved`) },
    { what: "deleted", take: (path: string) => Deno.remove(path, { recursive: true }) },
  ]
) {
  Deno.test(
    { name: `F33: an agent whose directory is ${what} goes on, and nothing is done in its place`, ignore },
    async () => {
      await using yard = await serversYard();
      await using swarm = await yard.start({ args: ["--max-concurrent", "1", "--stall-after", "0.4"] });
      await using parent = await tempDirectory();
      const cwd = join(parent.path, "work");
      await makeRepo(cwd);
      const { id, threadId } = await startIn(swarm, cwd);
      const queued = await startTask(swarm, "fake:say(never)", { cwd });
      await take(cwd);
      // A look at its files, in a place that is not there, harms nobody and finds out nothing.
      const { stalled } = await waitForTask(swarm, id, ({ silent_seconds }) => silent_seconds >= 2);
      assert.equal(stalled, undefined);
      await release(swarm, "go");
      await swarm.call("codex_wait", { task_ids: [id, queued] });
      const [{ status, answer }, failed] = [await lookAt(swarm, id), await lookAt(swarm, queued)];
      assert.deepEqual([status, answer], ["completed", "done"]);
      assert.equal(failed.status, "failed");
      assert.match(failed.failure.message, new RegExp(`${cwd}`));

      const { text, isError } = await swarm.call("codex_reply", { threadId, prompt: "fake:say(more)" });
      assert.match(text, new RegExp(`^Cannot use cwd .*${cwd}`));
      assert.equal(isError, true);
      // The way out (control).
      const { structured } = await swarm.call("codex", { threadId, cwd: swarm.cwd, prompt: "fake:say(more)" });
      assert.equal(structured.content, "more");
      const names = Array.from(Deno.readDirSync(parent.path), ({ name }) => name);
      assert.deepEqual(names, what === "moved" ? ["work_moved"] : []);
      assert.deepEqual(yard.codex.ledger().map(({ prompt }) => prompt.split(" ").at(-1)), [
        "fake:say(done)",
        "fake:say(more)",
      ]);
    },
  );
}

// Taking a mount away looks to all but its agent as if the directory were another one; F33 shows it with one that is gone.
Deno.test({ name: "F34: when an agent's disk vanishes, nothing of its task does", ignore: !CAN_MOUNT }, async () => {
  await using yard = await serversYard();
  let id = "";
  {
    await using disk = await smallDisk();
    await using swarm = await yard.start();
    await makeRepo(disk.path);
    id = (await startIn(swarm, disk.path)).id;
    await disk.vanish();
    assert.equal((await lookAt(swarm, id)).status, "running");
    await killServer(swarm);
    await using next = await yard.start();
    const { structured } = await next.call("codex_status", { all: true });
    assert.deepEqual(structured.tasks.map((task: { task_id: string; status: string }) => [task.task_id, task.status]), [
      [id, "running"],
    ]);
    await release(next, "go");
    await waitForStatus(next, id, "completed");
  }
  // And when not even the place of the mount is left.
  await using last = await yard.start();
  const { status, answer, exit_code } = await lookAt(last, id);
  assert.deepEqual([status, answer, exit_code], ["completed", "done", 0]);
});

Deno.test({ name: "F35: a server starts from / with nowhere to write but its state directory", ignore }, async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start({
    cwd: "/",
    env: { HOME: "/proc/nowhere", TMPDIR: "/proc/nowhere", DENO_DIR: Deno.env.get("DENO_DIR") ?? denoDir() },
  });
  const { structured, text } = await swarm.call("codex", { prompt: "fake:say(hello)", cwd: yard.cwd });
  assert.equal(structured?.content, "hello", text);
  const { isError, text: refused } = await swarm.call("codex", { prompt: "fake:say(hello)", cwd: "nowhere" });
  assert.match(refused, /^Cannot use cwd .*\/nowhere/);
  assert.equal(isError, true);
});

Deno.test(
  { name: "F35: a server whose own directory is deleted goes on for calls that name another", ignore },
  async () => {
    await using yard = await serversYard();
    await using parent = await tempDirectory();
    const cwd = join(parent.path, "own");
    await Deno.mkdir(cwd);
    await using swarm = await yard.start({ cwd });
    await Deno.remove(cwd);
    const { text, isError } = await swarm.call("codex", { prompt: "fake:say(hello)" });
    assert.match(text, new RegExp(`^Cannot use cwd .*${cwd}`));
    assert.equal(isError, true);
    await using repo = await tempRepo();
    const id = await startTask(swarm, "fake:hold(go) fake:say(hello)", { cwd: repo.path });
    await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
    await swarm.call("codex_cancel", { task_id: id });
    await waitForStatus(swarm, id, "cancelled");
    const { structured } = await swarm.call("codex", { prompt: "fake:say(hello)", cwd: repo.path });
    assert.equal(structured.content, "hello");
  },
);

Deno.test(
  { name: "F35: a server does not start in a directory that is gone, and ends with the reason", ignore },
  async () => {
    await using parent = await tempDirectory();
    const cwd = join(parent.path, "own");
    await Deno.mkdir(cwd);
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", `rmdir "${cwd}"; exec "$@"`, "sh", Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN],
      cwd,
      stdin: "null",
    }).output();
    assert.notEqual(code, 0);
    assert.equal(stdout.length, 0);
    assert.match(new TextDecoder().decode(stderr), /current working directory/);
  },
);

/** Where Deno keeps its modules, which is not what this test is about. */
function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
