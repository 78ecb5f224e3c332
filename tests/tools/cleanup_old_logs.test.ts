import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { removeLogFiles } from "../../src/storage/agent_log_files.ts";
import { errorOf, logDirOf } from "../helpers/agents.ts";
import { startSwarm } from "../helpers/swarm.ts";

const DAY_MS = 86_400_000;

Deno.test("cleanup_old_logs deletes what is old enough, rotated logs and old messages too, and no running agent's", async () => {
  await using swarm = await startSwarm();
  const dir = logDirOf(swarm);
  const { structured: running } = await swarm.call("spawn_agent_async", { prompt: "fake:hold(never)" });
  const put = async (name: string, days: number): Promise<void> => {
    const path = join(dir, name);
    const modified = new Date(Date.now() - days * DAY_MS - 60_000);
    await Deno.writeTextFile(path, "x".repeat(1_024));
    await Deno.utime(path, modified, modified);
  };
  const old = ["old.log", "old.log.1", "old.last_message.md"].map((end) => `codex_agent_20260101-000000_1_${end}`);
  for (const name of [...old, "notes.txt"]) await put(name, 7);
  await put("codex_agent_20260105-000000_1_new.log", 3);
  // Silent for days, as its log shows.
  await put(`${basename(running.log_file)}.1`, 30);
  const names = (): string[] => Array.from(Deno.readDirSync(dir), ({ name }) => name).toSorted();
  const before = names();

  const dry = await swarm.call("cleanup_old_logs");
  const told = JSON.parse(dry.text);
  assert.deepEqual(dry.structured, told);
  assert.deepEqual({ ...told, files: told.files.map((path: string) => basename(path)).toSorted() }, {
    deleted_count: 3,
    freed_bytes: 3_072,
    freed_human: "3.0 KB",
    files: old.toSorted(),
    dry_run: true,
    message: "Would delete 3 files older than 7 days, freeing 3.0 KB; dry_run=false does it.",
  });
  assert.deepEqual(names(), before);

  const { structured } = await swarm.call("cleanup_old_logs", { dry_run: false });
  assert.deepEqual([structured.deleted_count, structured.dry_run, structured.message], [
    3,
    false,
    "Deleted 3 files older than 7 days, freeing 3.0 KB.",
  ]);
  assert.deepEqual(names(), before.filter((name) => !old.includes(name)));
  assert.equal((await swarm.call("cleanup_old_logs", { days: 1_000_000_000 })).structured.deleted_count, 0);
  const more = await swarm.call("cleanup_old_logs", { days: 1, dry_run: false });
  assert.deepEqual(more.structured.files.map((path: string) => basename(path)), [
    "codex_agent_20260105-000000_1_new.log",
  ]);

  // The same log is as old as it is once its agent has ended.
  await swarm.call("kill_agent", { task_id: running.task_id });
  const last = await swarm.call("cleanup_old_logs", { dry_run: false });
  assert.deepEqual(last.structured.files, [`${running.log_file}.1`]);
});

Deno.test("cleanup_old_logs keeps a running agent's log under each path that leads to it", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using swarm = await startSwarm();
  const { structured: { log_file } } = await swarm.call("spawn_agent_async", { prompt: "fake:hold(never)" });
  const ended = join(logDirOf(swarm), "codex_agent_20260101-000000_1_ended.log");
  const old = new Date(Date.now() - 30 * DAY_MS);
  for (const path of [`${log_file}.1`, ended]) {
    await Deno.writeTextFile(path, "");
    await Deno.utime(path, old, old);
  }
  const link = join(swarm.stateDir, "linked_logs");
  await Deno.symlink(logDirOf(swarm), link);
  const { stateDir, cwd, codex } = swarm;
  await using other = await startSwarm({ codex, stateDir, cwd, env: { CODEX_AS_MCP_LOG_DIR: link } });
  const { structured: { files } } = await other.call("cleanup_old_logs");
  assert.deepEqual(files, [join(link, basename(ended))]);
});

Deno.test("cleanup_old_logs refuses a wrong age, and says when it cannot look", async () => {
  await using swarm = await startSwarm();
  for (const days of [0, -1, 1.5, "seven"]) {
    const error = errorOf(await swarm.call("cleanup_old_logs", { days }));
    assert.deepEqual([error.code, error.kind], ["invalid_days", "validation_error"]);
  }
  const empty = await swarm.call("cleanup_old_logs");
  assert.deepEqual([empty.isError, empty.structured.deleted_count], [false, 0]);
  await Deno.writeTextFile(logDirOf(swarm), "in the way");
  const failed = errorOf(await swarm.call("cleanup_old_logs"));
  assert.deepEqual([failed.code, failed.kind], ["cleanup_failed", "io_error"]);
});

Deno.test("removeLogFiles() goes on when one file cannot be deleted, and names it", async () => {
  const files = ["a", "gone", "b", "c"].map((path) => ({ path, size: 1, modified: new Date(0) }));
  const { gone, failures } = await removeLogFiles(files, (path) => {
    if (path === "gone") return Promise.reject(new Deno.errors.NotFound("it is gone"));
    return path === "b" ? Promise.reject(new Deno.errors.PermissionDenied("not this one")) : Promise.resolve();
  });
  assert.deepEqual(gone.map(({ path }) => path), ["a", "c"]);
  assert.deepEqual(failures, [{ path: "b", reason: "not this one" }]);
});
