import assert from "node:assert/strict";
import type { PlannedTask } from "../../src/supervisor/planned_task.ts";
import { awaitBatch, startBatch } from "../../src/tools/agent_batch.ts";
import { exampleId } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { PLANNED, TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";

Deno.test("startBatch() plans a few agents at once and starts them in their order", async () => {
  await using temp = await tempDirectory();
  const given: (readonly PlannedTask[])[] = [];
  const services = toolServices(
    {
      startAll: (planned) => {
        given.push(planned);
        return Promise.resolve(
          planned.map((one, index) =>
            index === 1
              ? { status: "rejected", reason: new Error("full") }
              : { status: "fulfilled", value: { ...TASK, id: exampleId(index), spec: one.spec } }
          ),
        );
      },
    },
    [],
    { logDir: temp.path },
  );
  const release = Promise.withResolvers<void>();
  let [atOnce, most] = [0, 0];
  const plan = async ({ prompt, agentLog = "" }: { readonly prompt: string; readonly agentLog?: string }) => {
    most = Math.max(most, ++atOnce);
    if (most === 8) release.resolve();
    // Nobody goes on before eight are there: one after another they would never be.
    await release.promise;
    atOnce--;
    if (prompt === "agent 3") throw new Error("no");
    return { ...PLANNED, spec: { ...PLANNED.spec, label: prompt, agentLog } };
  };
  const specs = Array.from({ length: 20 }, (_, index) => ({ prompt: `agent ${index}` }));
  const batch = await startBatch(specs, {
    isWaiting: false,
    maxParallel: 4,
    call: toolCall(),
    services: { ...services, plan },
  });
  assert.equal(most, 8);
  const labels = specs.map(({ prompt }) => prompt).filter((_, index) => index !== 3);
  assert.deepEqual(given.map((planned) => planned.map(({ spec }) => spec.label)), [labels]);
  assert.deepEqual(
    batch.map((agent) => "task" in agent ? agent.task.spec.label : "error"),
    specs.map(({ prompt }, index) => index === 1 || index === 3 ? "error" : prompt),
  );
  // Of those that were not started no log is left.
  assert.equal(Array.from(Deno.readDirSync(temp.path)).length, 18);
});

Deno.test("startBatch() starts nothing for a call that was cancelled, and leaves no logs", async () => {
  await using temp = await tempDirectory();
  const services = toolServices({}, [], { logDir: temp.path });
  const cancelling = new AbortController();
  const call = toolCall({ signal: cancelling.signal });
  const plan = ({ prompt, agentLog = "" }: { readonly prompt: string; readonly agentLog?: string }) => {
    if (prompt === "last") queueMicrotask(() => cancelling.abort(new Error("enough")));
    return Promise.resolve({ ...PLANNED, spec: { ...PLANNED.spec, agentLog } });
  };
  const specs = ["first", "last"].map((prompt) => ({ prompt }));
  const options = { isWaiting: true, maxParallel: 1, call, services: { ...services, plan } };
  await assert.rejects(startBatch(specs, options), /enough/);
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path)), []);
});

Deno.test("awaitBatch() says of an agent that it cannot wait for that it may still be running", async () => {
  const services = toolServices({ ended: () => Promise.reject(new Error("no files")) });
  const [agent] = await awaitBatch([{ id: TASK.id, lifetime: "server-bound" }], { call: toolCall(), services });
  assert.deepEqual(agent, {
    error: {
      code: "unexpected_agent_error",
      kind: "runtime_error",
      message: "Cannot wait for task 0123abcd, which may still be running: no files. " +
        'get_agent_status(task_id="0123abcd") tells how it stands, codex_wait(task_ids=["0123abcd"]) waits for it.',
    },
  });
});
