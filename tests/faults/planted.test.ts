import assert from "node:assert/strict";
import { join } from "node:path";
import { plantingScript } from "../helpers/planted.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test({
  name: "nothing that an agent plants for git to run is ever run by the server",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using place = await tempDirectory();
  await using swarm = await startSwarm();
  const ran = join(place.path, "ran");
  const script = await plantingScript({ directory: place.path, checkout: swarm.cwd, ran });
  const work = { worktree: true, sandbox: "danger-full-access" };
  const id = await startTask(swarm, `fake:run(sh ${script}) fake:say(planted)`, work);
  const planted = await waitForStatus(swarm, id, "completed");
  // What is there by now is seen by all that is done from here on.
  const reply = { threadId: planted.thread_id, prompt: "fake:run(echo more >>inside/file; echo b >b.txt)" };
  const replied = await swarm.call("codex_reply", reply);
  assert.ok(!replied.isError, replied.text);
  const wip = await startTask(swarm, "fake:run(echo c >>README.md) fake:say(c)", { worktree: { base: "wip" } });
  await waitForStatus(swarm, wip, "completed");
  const merging = await swarm.call("codex_reply", {
    threadId: planted.thread_id,
    prompt: "fake:run(echo solved >README.md)",
    merge: `codex-swarm/${wip}`,
  });
  assert.ok(!merging.isError, merging.text);
  for (
    const [tool, args] of [
      ["codex_status", { all: true }],
      ["codex_diff", { task_id: id, format: "patch" }],
      ["codex_merge", { task_id: id, update_checkout: true }],
      ["codex_merge", { task_id: wip, mode: "rebase", update_checkout: true }],
      ["codex_cleanup", { task_ids: [id, wip], dry_run: false }],
      ["codex_restore", { task_id: id }],
    ] as const
  ) {
    const { text, isError } = await swarm.call(tool, args);
    assert.ok(!isError, text);
  }
  assert.equal(await Deno.readTextFile(ran).catch(() => "nothing"), "nothing");
  // Git itself runs them (control).
  await Deno.writeTextFile(join(swarm.cwd, "README.md"), "changed\n");
  await new Deno.Command("git", { args: ["-C", swarm.cwd, "add", "--all"] }).output();
  await new Deno.Command("git", { args: ["-C", swarm.cwd, "-c", "commit.gpgSign=false", "commit", "-qm", "m"] })
    .output();
  assert.match(await Deno.readTextFile(ran), /filter[^]*reference-transaction/);
});
