/** The errors of codex-as-mcp's tools that only a broken system brings about. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import type { TaskView } from "../../src/supervisor/task_view.ts";
import { TaskError } from "../../src/task/errors.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { killAgent } from "../../src/tools/kill_agent.ts";
import { spawnAgent } from "../../src/tools/spawn_agent.ts";
import { spawnAgentsParallel } from "../../src/tools/spawn_agents_parallel.ts";
import type { ToolServices } from "../../src/tools/tool.ts";
import { errorOf } from "../helpers/agents.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";

function errorIn(data: Readonly<Record<string, unknown>>): unknown {
  const { code, kind, message } = JSON.parse(JSON.stringify(data["error"]));
  return [code, kind, message];
}

Deno.test("spawn_agent says when nothing can be started or kept, and leaves no log of it", async () => {
  await using directory = await tempDirectory();
  const start = (): Promise<never> =>
    Promise.reject(new TaskError("start_failed", "Cannot start a task: the server is ending."));
  const services = toolServices({ start }, [], { logDir: directory.path });
  const { text, structured, isError } = await spawnAgent.handle({ prompt: "go" }, toolCall(), services);
  assert.deepEqual([isError, JSON.parse(text)], [true, structured["error"]]);
  assert.deepEqual(errorIn(structured), [
    "process_start_failed",
    "runtime_error",
    "Cannot start a task: the server is ending.",
  ]);
  assert.deepEqual(Array.from(Deno.readDirSync(directory.path)), []);

  const file = join(directory.path, "in_the_way");
  await Deno.writeTextFile(file, "");
  await using swarm = await startSwarm({ env: { CODEX_SWARM_TASK_DIR: join(file, "tasks") } });
  const refused = errorOf(await swarm.call("spawn_agent", { prompt: "go" }));
  assert.deepEqual([refused.code, refused.kind], ["state_not_writable", "io_error"]);
  const { structured: logs } = await swarm.call("list_agent_logs");
  assert.equal(logs.total, 0);
});

Deno.test("an error that nobody has foreseen is told and logged, and of one agent of several it is that one's own", async () => {
  await using directory = await tempDirectory();
  const errors: string[] = [];
  const services: ToolServices = {
    ...toolServices({}, errors, { logDir: directory.path }),
    plan: () => Promise.reject(new RangeError("a bug")),
  };
  const one = await spawnAgent.handle({ prompt: "go" }, toolCall(), services);
  assert.deepEqual(errorIn(one.structured), ["unexpected_error", "runtime_error", "a bug"]);
  assert.deepEqual(errors, ["a call failed for a reason of our own"]);
  const agents = [{ prompt: "go" }, { prompt: "" }];
  const { structured, isError } = await spawnAgentsParallel.handle({ agents }, toolCall(), services);
  assert.deepEqual(errors.slice(1), ["an agent of a call was not started"]);
  assert.deepEqual([isError, structured["result"]], [undefined, [
    { index: "0", error: { code: "unexpected_agent_error", kind: "runtime_error", message: "a bug" } },
    { index: "1", error: { code: "empty_prompt", kind: "validation_error", message: "The prompt is empty." } },
  ]]);
});

Deno.test("kill_agent says when it cannot even try, and when an agent does not end", async () => {
  const view: TaskView = {
    task: TASK,
    progress: emptyProgress(),
    answer: null,
    queuePosition: null,
    waitingUntil: null,
    isProbeAwaited: false,
    lastEventAt: null,
    silence: null,
    isShimLost: false,
    unnotedEnd: null,
    agentPid: 7,
    directory: new TaskDirectory("/tasks", TASK.id),
  };
  const seen = async (stop: ToolServices["supervisor"]["stop"]): Promise<Readonly<Record<string, unknown>>> => {
    const services = toolServices({ stop, view: () => Promise.resolve(view) });
    return (await killAgent.handle({ task_id: TASK.id }, toolCall(), services)).structured;
  };
  const failed = await seen(() => Promise.reject(new Error("no more processes")));
  assert.deepEqual(errorIn(failed), [
    "kill_failed",
    "runtime_error",
    "Cannot kill the agent: no more processes. Try again.",
  ]);
  const report = { signals: ["TERM", "KILL"] as const, isGone: false, swept: 0 };
  const stubborn = await seen(() => Promise.resolve({ answer: "still_running", report }));
  assert.deepEqual(stubborn, {
    task_id: TASK.id,
    killed: false,
    signal_used: "SIGTERM->SIGKILL",
    message: `Agent ${TASK.id} does not end: try again with force=true.`,
    log_file: null,
  });
});
