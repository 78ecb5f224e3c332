/** Numbers of processes come again, after a reboot and by themselves: nobody is signalled who is not of the task. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { isAlive } from "../helpers/processes.ts";
import { killServer, serversYard } from "../helpers/servers_yard.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os !== "linux";
const OTHER_BOOT = "00000000-0000-4000-8000-000000000000";

/** What tells a process from a later one of its number. */
function startOf(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /s, "").split(" ")[19] ?? "";
}

for (
  const { name, boot, isSpared } of [
    {
      name: "F6: a reboot interrupts a task, and who has its agent's number now is spared",
      boot: OTHER_BOOT,
      isSpared: true,
    },
    { name: "F6: had there been no reboot, that process would be its agent (control)", boot: null, isSpared: false },
  ]
) {
  Deno.test({ name, ignore }, async () => {
    await using yard = await serversYard();
    let id = "";
    {
      await using server = await yard.start();
      id = await startTask(server, "fake:hold(never)", { sandbox: "danger-full-access" });
      await waitForTask(server, id, ({ thread_id }) => thread_id !== undefined);
      await killServer(server);
    }
    const noted = await readNotedRun(yard.task(id));
    assert.ok(noted);
    for (const { pid } of [noted.shim, noted.agent]) Deno.kill(pid, "SIGKILL");
    await waitFor(async () => !await isAlive(noted.agent.pid), { message: "the agent to be gone" });
    // Nothing in its environment names the task.
    const stranger = new Deno.Command("sleep", { args: ["1000"], clearEnv: true, stdin: "null" }).spawn();
    try {
      const who = `${stranger.pid} ${startOf(stranger.pid)}`;
      const line = `${noted.run} ${who} ${who} ${boot ?? noted.boot} ${noted.locks}\n`;
      await Deno.writeTextFile(join(yard.task(id), "process"), line);
      await using next = await yard.start();
      const { status, exit_code, thread_id } = await lookAt(next, id);
      assert.deepEqual([status, exit_code], ["interrupted", null]);
      const { structured } = await next.call("codex_reply", { threadId: thread_id, prompt: "fake:say(again)" });
      assert.deepEqual([structured.threadId, structured.content], [thread_id, "again"]);
      await next.call("codex_cancel", { task_id: id });
      assert.equal(await isAlive(stranger.pid), isSpared);
    } finally {
      if (isSpared) stranger.kill("SIGKILL");
      await stranger.status;
    }
  });
}

/**
 * In a small world of its own, where numbers can be chosen: the agent is killed with its shim, somebody else gets its
 * number, and the task is stopped. Says whether that one lives.
 */
const REUSE = String.raw`
set -u
sh "$SHIM" run "$DIR" 1 3600 - "$BELL" prompt.txt - 1000000 0 sleep 1000 &
until [ -s "$DIR/process" ]; do sleep 0.02; done
read -r run shim shim_start agent agent_start boot locks <"$DIR/process"
kill -s KILL "$shim" "$agent"
wait
while [ -e "/proc/$agent" ]; do sleep 0.02; done
stranger=0
for _ in 1 2 3 4 5 6 7 8 9; do
  echo $((agent - 1)) >/proc/sys/kernel/ns_last_pid
  sleep 1000 &
  stranger=$!
  [ "$stranger" != "$agent" ] || break
  kill -s KILL "$stranger"
done
[ "$stranger" = "$agent" ] || exit 3
if [ "$IS_FORGED" = true ]; then
  start=$(sed 's/.*) //' "/proc/$stranger/stat" | cut -d ' ' -f 20)
  echo "$run $shim $shim_start $agent $start $boot $locks" >"$DIR/process"
fi
sh "$KEEPER" stop "$DIR" cancelled KILL:2000 >/dev/null
case $(cut -d ' ' -f 3 "/proc/$stranger/stat" 2>/dev/null) in '' | Z | X) echo dead ;; *) echo alive ;; esac
`;

async function canChooseNumbers(): Promise<boolean> {
  if (ignore) return false;
  const script = "echo 300 >/proc/sys/kernel/ns_last_pid";
  const { success } = await new Deno.Command("unshare", {
    args: ["--pid", "--fork", "--mount-proc", "/bin/sh", "-c", script],
    stdin: "null",
  }).output().catch(() => ({ success: false }));
  return success;
}

// Where that is not allowed, tests/process/stop_stranger.test.ts shows the same with numbers that are only written so.
const cannotChoose = !await canChooseNumbers();

for (
  const { name, isForged, said } of [
    {
      name: "F7: a stop spares a process that has the number of an agent that is gone",
      isForged: false,
      said: "alive",
    },
    { name: "F7: were its start time the agent's, it would be ended (control)", isForged: true, said: "dead" },
  ]
) {
  Deno.test({ name, ignore: cannotChoose }, async () => {
    await using yard = await shimYard();
    const { code, stdout } = await new Deno.Command("unshare", {
      args: ["--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c", REUSE],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        SHIM: yard.script,
        KEEPER: yard.script.replace(/shim-(?=[^/]*$)/, "keeper-"),
        DIR: yard.directory(),
        BELL: yard.bell,
        IS_FORGED: String(isForged),
      },
      stdin: "null",
    }).output();
    assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, `${said}\n`]);
  });
}
