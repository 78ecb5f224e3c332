import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSwarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

/** Directories as versions of this program have left them on people's disks. */
const STATE = fileURLToPath(new URL("../fixtures/state", import.meta.url));

function copy(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copy(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}

/** What has become of the tasks by now: their servers are gone, and so are their directories. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "1": {
    "00000001": "failed",
    "00000002": "interrupted",
    "00000003": "completed",
    "00000004": "failed",
    "00000005": "cancelled",
    "00000006": "timed_out",
    "00000007": "interrupted",
  },
  "2": {
    "00000001": "interrupted",
    "00000002": "interrupted",
    "00000003": "completed",
    "00000004": "failed",
    "00000005": "interrupted",
    "00000006": "failed",
  },
  "3": {
    "00000001": "interrupted",
    "00000003": "completed",
    "00000004": "failed",
    "00000005": "failed",
  },
};

for (const { name: version } of Deno.readDirSync(STATE)) {
  Deno.test(`a server serves the tasks of a state directory of format ${version}`, async () => {
    await using stateDir = await tempDirectory();
    copy(join(STATE, version), stateDir.path);
    await using swarm = await startSwarm({ stateDir: stateDir.path });
    const expected = EXPECTED[version] ?? {};
    const ids = Object.keys(expected);
    const { structured: { tasks } } = await swarm.call("codex_wait", { task_ids: ids });
    const statuses = tasks.map((task: Record<string, unknown>) => [task["task_id"], task["status"]]);
    assert.deepEqual(Object.fromEntries(statuses), expected);
    const done = tasks.find((task: Record<string, unknown>) => task["task_id"] === "00000003");
    assert.equal(done.answer, "All done.\n");
    const listed = (await swarm.call("codex_status", { all: true })).structured.tasks;
    assert.deepEqual(listed.map((task: Record<string, unknown>) => task["task_id"]).sort(), ids);
  });
}

Deno.test("a task that a newer program wrote is told beside the others, and left as it is", async () => {
  await using swarm = await startSwarm();
  const { structured: { task_id: ours } } = await swarm.call("codex", { prompt: "fake:say(hello)" });
  const newer = join(swarm.stateDir, "tasks", "ffffffff");
  Deno.mkdirSync(newer);
  const record = JSON.stringify({ format: 99, id: "ffffffff", shape: "unheard of" });
  Deno.writeTextFileSync(join(newer, "task.json"), record);
  for (const tool of ["codex_status", "codex_wait"]) {
    const { text, structured, isError } = await swarm.call(tool, { task_ids: ["ffffffff", ours] });
    assert.match(text, /Cannot read task "ffffffff": format 99 is newer than this program's \d+: update codex-swarm\./);
    const tasks = structured.tasks.map((task: Record<string, unknown>) => [task["task_id"], task["status"]]);
    assert.deepEqual(Object.fromEntries(tasks), { ffffffff: "error", [ours]: "completed" });
    assert.equal(isError, false);
  }
  const { text, isError } = await swarm.call("codex_cancel", { task_id: "ffffffff" });
  assert.match(text, /format 99 is newer/);
  assert.equal(isError, true);
  assert.deepEqual((await swarm.call("codex_status")).structured.tasks.length, 1);
  assert.equal(Deno.readTextFileSync(join(newer, "task.json")), record);
});
