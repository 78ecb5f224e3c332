import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus } from "../helpers/tasks.ts";

Deno.test("the resources of codex-mcp-swarm keep their shape, with secrets masked", async () => {
  await using swarm = await startSwarm({
    args: [
      ...["-c", 'model="gpt-x"', "-c", 'model_providers.x.experimental_bearer_token="hidden"'],
      ...["-c", 'mcp_servers.x.env.API_KEY="hidden"', "--ephemeral", "--skip-git-repo-check"],
    ],
    env: { CODEX_SWARM_TASK_MAX_AGE: "3600", CODEX_SWARM_LOG_LEVEL: "INFO" },
  });
  const { resources } = await swarm.client.listResources();
  assert.deepEqual(
    resources.map(({ uri, name, mimeType }) => ({ uri, name, mimeType })),
    ["server-info", "config", "tasks"].map((name) => ({
      uri: `codex-swarm:///${name}`,
      name,
      mimeType: "application/json",
    })),
  );

  const { tools } = await swarm.client.listTools();
  const { permissions, ...info } = await swarm.resource("server-info");
  assert.deepEqual(info, {
    name: "codex-swarm",
    version: manifest.version,
    tools: tools.map(({ name }) => name),
    task_dir: `${swarm.stateDir}/tasks`,
    worktree_dir: `${swarm.stateDir}/worktrees`,
    task_max_age_seconds: 3_600,
    log_file: `${swarm.stateDir}/logs/codex-swarm.log`,
    log_level: "INFO",
    failure_reporting: {
      terminal_events: ["turn.completed", "turn.failed"],
      top_level_error_is_terminal: false,
      error_item_is_terminal: false,
      stderr_role: "diagnostic_only",
      wrapper_retries: "only starts that die of shared state before any event",
    },
  });
  for (const name of ["net", "ffi", "import"]) assert.notEqual(permissions[name], "granted", name);

  assert.deepEqual(await swarm.resource("config"), {
    server_config: {
      model: '"gpt-x"',
      "model_providers.x.experimental_bearer_token": "***",
      "mcp_servers.x.env.API_KEY": "***",
    },
    server_flags: ["--skip-git-repo-check", "--ephemeral"],
  });

  assert.deepEqual(await swarm.resource("tasks"), []);
  const done = await startTask(swarm, "fake:say(done)", { label: "first" });
  const failed = await startTask(swarm, "fake:fail(boom)", { model: "gpt-y" });
  const { thread_id } = await waitForStatus(swarm, done, "completed");
  const { thread_id: failedThread, failure } = await waitForStatus(swarm, failed, "failed");
  const running = await startTask(swarm, "fake:hold(never)");
  await waitForStatus(swarm, running, "running");
  const tasks = await swarm.resource("tasks");
  const fixed = { exit_code_lost: false, status_inferred: false };
  assert.deepEqual(tasks, [
    {
      task_id: done,
      status: "completed",
      elapsed_seconds: tasks[0].elapsed_seconds,
      label: "first",
      thread_id,
      exit_code: 0,
      ...fixed,
    },
    {
      task_id: failed,
      status: "failed",
      elapsed_seconds: tasks[1].elapsed_seconds,
      thread_id: failedThread,
      exit_code: 1,
      ...fixed,
      model: "gpt-y",
      failure_cause: "boom",
      failure_category: "unknown",
      retryable: false,
      failure_action: failure.action,
    },
    { task_id: running, status: "running", elapsed_seconds: tasks[2].elapsed_seconds },
  ]);
  await swarm.call("codex_cancel", { task_id: running });

  await assert.rejects(
    swarm.client.readResource({ uri: "codex-swarm:///nope" }),
    (error: unknown) => error instanceof Error && error.message.includes("Unknown resource: codex-swarm:///nope"),
  );
});
