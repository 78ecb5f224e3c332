/** Servers that are real are in tests/connections/handles.test.ts and tests/faults/handles.test.ts. */
import assert from "node:assert/strict";
import { KeptCalls } from "../../src/server/kept_calls.ts";
import { HandleFiles } from "../../src/storage/handle_files.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { viewFinished } from "../../src/supervisor/task_view.ts";
import { TaskError } from "../../src/task/errors.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { tools } from "../../src/tools/mod.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { TASK, toolServices } from "../helpers/tool_calls.ts";

const OTHER = "ffffffff";
const SHORT = "Too many open files (os error 24)";

interface Server extends AsyncDisposable {
  readonly kept: KeptCalls;
  readonly files: HandleFiles;
  readonly logged: string[];
  /** Makes a handle as a server has left it that is gone. */
  left(tool: string, stage: unknown): Promise<string>;
}

/** A server that has no file to spare for the second task while `trouble` has an error, and is asked to stop tasks. */
async function server(trouble: { error: Error | null }, stopped: Set<string> | null = null): Promise<Server> {
  const temp = await tempDirectory();
  const logged: string[] = [];
  const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
  const task = finish(TASK, { at: new Date(), outcome, progress: emptyProgress() });
  const look = (id: string): void => {
    if (id === OTHER && trouble.error !== null) throw trouble.error;
  };
  const services = toolServices({
    view: async (id) => {
      look(id);
      const view = await viewFinished({ ...task, id }, new TaskDirectory("/nowhere", id), "done");
      return stopped === null || stopped.has(id) ? view : { ...view, task: { ...TASK, id } };
    },
    // deno-lint-ignore require-await
    stop: async (id) => {
      look(id);
      logged.push(`stopped ${id}`);
      stopped?.add(id);
      return { answer: "stopped", report: null };
    },
    // deno-lint-ignore require-await
    ended: async (id) => look(id),
    markRead: () => Promise.resolve(),
  }, logged);
  const ending = new AbortController();
  const files = new HandleFiles(temp.path);
  const kept = new KeptCalls({
    files,
    tools,
    offered: tools.map(({ name }) => name),
    services,
    repository: () => Promise.resolve("/repository/.git"),
    maxAgeMs: 3_600_000,
    ending: ending.signal,
    log: services.log,
    now: () => new Date(),
  });
  return {
    kept,
    files,
    logged,
    async left(tool: string, stage: unknown): Promise<string> {
      const id = crypto.randomUUID();
      await files.create(id, { tool, kept: stage, taskIds: [OTHER], answerChars: 10_000, createdAt: new Date() });
      return id;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      ending.abort();
      await kept.settled();
      await temp[Symbol.asyncDispose]();
    },
  };
}

const agent = (id: string): unknown => ({ id, lifetime: "detached" });
const wait = { task_ids: [TASK.id, OTHER], until: "all", cursor: "", ends_at: null };

for (
  const [tool, stage] of [
    ["codex", agent(OTHER)],
    ["codex_reply", agent(OTHER)],
    ["codex_wait", wait],
    ["codex_wait", { ...wait, task_ids: [OTHER], until: "any" }],
    ["spawn_agent", agent(OTHER)],
    ["spawn_agents_parallel", [agent(TASK.id), agent(OTHER)]],
  ] as const
) {
  Deno.test(`KeptCalls takes no fault of its server's for the end of ${tool} of ${JSON.stringify(stage)}`, async () => {
    const trouble: { error: Error | null } = { error: new Error(SHORT) };
    await using at = await server(trouble);
    const id = await at.left(tool, stage);
    for (let look = 0; look < 2; look++) {
      const { status, statusMessage } = await at.kept.get(id);
      assert.deepEqual([status, await at.files.readEnd(id)], ["working", null]);
      assert.match(statusMessage, /^Cannot tell the end for now: .*Too many open files .*; nothing was stopped\./);
    }
    assert.ok(at.logged.includes("the end of a call cannot be told for a reason of our own"));

    trouble.error = null;
    const { status, result } = await at.kept.get(id);
    assert.deepEqual([status, result?.["isError"]], ["completed", undefined]);
    assert.equal((await at.files.readEnd(id))?.status, "completed");
  });
}

Deno.test("KeptCalls tells as an end what is one: that a task is not there any more", async () => {
  for (const [tool, stage] of [["codex", agent(OTHER)], ["spawn_agents_parallel", [agent(OTHER)]]] as const) {
    await using at = await server({ error: new TaskError("unknown_task", "Cannot find it.") });
    const { status, result } = await at.kept.get(await at.left(tool, stage));
    assert.equal(status, "completed");
    assert.match(JSON.stringify(result), /Cannot find it\./);
  }
});

Deno.test("KeptCalls ends a wait at its time, whatever cannot be looked at", async () => {
  await using at = await server({ error: new Error(SHORT) });
  const { status, result } = await at.kept.get(await at.left("codex_wait", { ...wait, ends_at: Date.now() - 1 }));
  assert.equal(status, "completed");
  assert.match(JSON.stringify(result), /STILL RUNNING.*"ffffffff/);
});

Deno.test("KeptCalls stops the agents of a cancelled call that is asked for, until that is done, and no others", async () => {
  const trouble: { error: Error | null } = { error: new Error(SHORT) };
  const stopped = new Set<string>();
  await using at = await server(trouble, stopped);
  const cancelled = async (tool: string, stage: unknown): Promise<string> => {
    const id = await at.left(tool, stage);
    await at.files.end(id, { status: "cancelled", endedAt: new Date() });
    return id;
  };
  const waiting = await cancelled("codex_wait", wait);
  const ids = [await cancelled("codex", agent(OTHER)), await cancelled("codex", agent(OTHER))];
  for (const id of [waiting, ...ids]) assert.equal((await at.kept.get(id)).status, "cancelled");
  assert.ok(at.logged.includes("the agents of a cancelled call could not be stopped"));
  trouble.error = null;
  assert.equal((await at.kept.get(waiting)).status, "cancelled");
  assert.deepEqual([...stopped], []);
  for (const id of [...ids, ...ids]) assert.equal((await at.kept.get(id)).status, "cancelled");
  assert.deepEqual(at.logged.filter((line) => line.startsWith("stopped")), [`stopped ${OTHER}`]);
});
