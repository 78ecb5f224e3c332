import assert from "node:assert/strict";
import { join } from "node:path";
import { errorOf, logDirOf } from "../helpers/agents.ts";
import { startSwarm } from "../helpers/swarm.ts";

Deno.test("list_agent_logs lists the newest logs as codex-as-mcp did, without those that were rotated", async () => {
  await using swarm = await startSwarm();
  const dir = logDirOf(swarm);
  const none = await swarm.call("list_agent_logs");
  assert.deepEqual(JSON.parse(none.text), { total: 0, showing: 0, log_dir: dir, logs: [] });
  const { structured: run } = await swarm.call("spawn_agent", { prompt: "fake:say(done)" });
  const put = async (name: string, size: number, modified: string): Promise<void> => {
    const path = join(dir, name);
    await Deno.writeTextFile(path, "x".repeat(size));
    await Deno.utime(path, new Date(modified), new Date(modified));
  };
  await put("codex_agent_20260101-000000_1_00000001.log", 1_536, "2026-01-01T00:00:01Z");
  await put("codex_agent_20260101-000000_1_00000001.log.1", 10, "2026-01-01T00:00:00Z");
  await put("codex_agent_20260101-000000_1_1_00000002.log", 1_572_864, "2026-01-02T00:00:00Z");
  await put("other.log", 10, "2026-01-02T00:00:00Z");
  const { text, structured } = await swarm.call("list_agent_logs", { max_count: 2 });
  assert.deepEqual(JSON.parse(text), structured);
  assert.deepEqual([structured.total, structured.showing, structured.logs[0].path], [3, 2, run.log_file]);
  assert.deepEqual(structured.logs[1], {
    path: join(dir, "codex_agent_20260101-000000_1_1_00000002.log"),
    size_bytes: 1_572_864,
    size_human: "1.5 MB",
    modified: "2026-01-02T00:00:00.000Z",
  });
  const all = (await swarm.call("list_agent_logs")).structured;
  assert.deepEqual([all.showing, all.logs[2].size_human], [3, "1.5 KB"]);
  for (const [max_count, showing] of [[0, 0], [1_000_000_000, 3]]) {
    const { structured: some } = await swarm.call("list_agent_logs", { max_count });
    assert.deepEqual([some.total, some.showing, some.logs.length], [3, showing, showing]);
  }

  const negative = errorOf(await swarm.call("list_agent_logs", { max_count: -1 }));
  assert.deepEqual([negative.code, negative.kind], ["invalid_argument", "validation_error"]);
  await Deno.remove(dir, { recursive: true });
  await Deno.writeTextFile(dir, "in the way");
  const failed = errorOf(await swarm.call("list_agent_logs"));
  assert.deepEqual([failed.code, failed.kind], ["list_logs_failed", "io_error"]);
});
