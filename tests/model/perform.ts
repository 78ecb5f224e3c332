/** Does one step of a history. What it is about may never have come to be, or be gone: then it does nothing. */
import { isFinished } from "../../src/task/task.ts";
import { taskIdOf } from "../../src/task/agent_id.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { ageOut } from "./age_out.ts";
import { blackOut } from "./black_out.ts";
import { checkSurvivors, compareServers } from "./checks.ts";
import { noteGoing } from "./note_going.ts";
import { leaveRecycledTask } from "./recycled_task.ts";
import { newRequest } from "./requests.ts";
import { rest } from "./rest.ts";
import { keyOf, promptOf, type Step } from "./steps.ts";
import { killProcess } from "./system_processes.ts";
import type { World } from "./world.ts";

type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

/** Settles as soon as the next step may be done; calls may be on their way then. */
export async function perform(step: Step, world: World): Promise<void> {
  switch (step.kind) {
    case "start server":
      await world.servers.start(step.server);
      return;
    case "kill server":
      await noteGoing(step.server, world);
      await world.servers.kill(step.server);
      return;
    case "end server":
      return await endServer(step, world);
    case "spawn":
      return await spawn(step, world);
    case "reply":
      return await reply(step, world);
    case "meet":
      return await meet(keyOf(step.of), world);
    case "release": {
      const request = world.requests.get(keyOf(step.of));
      if (request === undefined) return;
      request.isReleased = true;
      return await world.codex.release(request.key, step.ending);
    }
    case "wait":
    case "status":
      return await look(step, world);
    case "cancel":
      return await cancel(step, world);
    case "leave call":
      world.requests.get(keyOf(step.of))?.stops.add("cancelled");
      world.calls.leave(step.of);
      return;
    case "kill shim": {
      const request = world.requests.get(keyOf(step.of));
      const id = await world.taskOf(request);
      if (request === undefined || id === null) return;
      request.isShimKilled = true;
      return await world.killShim(id);
    }
    case "kill agent":
      return await killAgent(step, world);
    case "stranger": {
      const id = await world.taskOf(world.requests.get(keyOf(step.of)));
      const threadId = id === null ? undefined : world.runsOf(id)[0]?.threadId;
      if (id === null || threadId === undefined) return;
      world.strangers.start(step.looks, { taskId: id, threadId, directory: world.directory(id).path });
      return;
    }
    case "recycled":
      return await leaveRecycledTask(step, world);
    case "age out":
      return await ageOut(step.share, world);
    case "blackout":
      return await blackOut(world);
    case "compare":
      return await compareServers(world);
    case "rest":
      return await rest(world);
  }
}

async function endServer({ number, server }: StepOf<"end server">, world: World): Promise<void> {
  const bound = await noteGoing(server, world);
  world.calls.start(number, { waits: true }, async () => {
    await world.servers.end(server);
    for (const request of bound) {
      const id = await world.taskOf(request);
      if (id === null) continue;
      const hasEnded = async (): Promise<boolean> => {
        const task = await world.directory(id).read();
        return task === null || isFinished(task);
      };
      await waitFor(hasEnded, { message: `the end of ${request.key}`, timeoutMs: 2_000 }).catch(() => {
        world.broken.push(`task ${id} (${request.key}) goes on although its server was ended`);
      });
    }
  });
}

/** How long an agent is waited for that may be queued, or stopped before it begins. */
const MEET_MS = 300;

async function meet(key: string, world: World): Promise<void> {
  const hasStarted = async (): Promise<boolean> => {
    await world.sample();
    return world.ledger.runs.some(({ keys }) => keys.includes(key));
  };
  await waitFor(hasStarted, { message: `${key} to start`, timeoutMs: MEET_MS }).catch(() => undefined);
}

async function spawn({ number, server: place, tool, agent }: StepOf<"spawn">, world: World): Promise<void> {
  const server = await world.servers.at(place);
  const lifetime = tool === "codex_async" ? "detached" : "server-bound";
  const request = world.add(newRequest({ step: number, lifetime, agent, server }));
  const args = {
    prompt: promptOf(request.key, agent),
    label: request.key,
    sandbox: agent.hasChild ? "danger-full-access" : "read-only",
    ...(agent.timeout === null || tool === "spawn_agent_async" ? {} : { timeout: agent.timeout }),
  };
  world.calls.start(number, { waits: tool === "codex" }, async (signal) => {
    const answer = await world.ask(server, tool, { args, signal });
    if (answer === null) return;
    const id = answer.structured?.task_id;
    if (id === undefined) {
      world.broken.push(`${tool} was refused to ${request.key}: ${answer.text}`);
      return;
    }
    world.identify(request, taskIdOf(id));
    if (tool !== "spawn_agent_async") world.noteTold(answer.structured);
  });
}

async function reply({ number, server: place, of, when, agent }: StepOf<"reply">, world: World): Promise<void> {
  const family = world.requests.get(keyOf(of))?.family;
  const isOfFamily = (key: string): boolean => world.requests.get(key)?.family === family;
  const threadId = world.ledger.runs.find(({ keys }) => keys.some(isOfFamily))?.threadId;
  if (family === undefined || threadId === undefined) return;
  const server = await world.servers.at(place);
  const request = world.add(newRequest({ step: number, lifetime: "server-bound", agent, server, family }));
  const relatives = [...world.requests.values()].filter((other) => other.family === family);
  const isTold = when === "now" || relatives.some((relative) => relative.isTold);
  for (const relative of relatives) relative.isTold = isTold;
  const args = { threadId, prompt: promptOf(request.key, agent), when };
  world.calls.start(number, { waits: true }, async (signal) => {
    const answer = await world.ask(server, "codex_reply", { args, signal });
    if (answer === null) return;
    // Its task may be another one, to which it was told, unless that was cancelled meanwhile.
    const isCancelled = when === "now" && / was cancelled before it could be told\./.test(answer.text);
    if (answer.structured?.task_id !== undefined) world.noteTold(answer.structured);
    else if (!isCancelled) world.broken.push(`codex_reply was refused to ${request.key}: ${answer.text}`);
  });
}

async function look(step: StepOf<"wait" | "status">, world: World): Promise<void> {
  const ids = [];
  for (const of of step.of) {
    const id = await world.taskOf(world.requests.get(keyOf(of)));
    if (id !== null) ids.push(id);
  }
  if (ids.length === 0) return;
  const server = await world.servers.at(step.server);
  const isWait = step.kind === "wait";
  const args = { task_ids: ids, ...(isWait ? { until: step.until } : {}) };
  world.calls.start(step.number, { waits: isWait }, async (signal) => {
    const answer = await world.ask(server, isWait ? "codex_wait" : "codex_status", { args, signal });
    for (const data of answer?.structured.tasks ?? []) world.noteTold(data);
  });
}

async function cancel({ number, of, server: place }: StepOf<"cancel">, world: World): Promise<void> {
  const request = world.requests.get(keyOf(of));
  const id = await world.taskOf(request);
  if (request === undefined || id === null) return;
  const server = await world.servers.at(place);
  request.stops.add("cancelled");
  // An agent that heeds no signal takes seconds to end, in which much else may happen.
  const waits = request.agent.signals.length < 2;
  world.calls.start(number, { waits }, async (signal) => {
    const answer = await world.ask(server, "codex_cancel", { args: { task_id: id }, signal });
    if (answer === null) return;
    request.isCancelled = true;
    world.noteTold(answer.structured);
    if (answer.structured.status === "cancelled") await checkSurvivors([id], world);
  });
}

async function killAgent({ of }: StepOf<"kill agent">, world: World): Promise<void> {
  await world.ledger.refresh();
  const run = world.ledger.open.find(({ keys }) => keys.includes(keyOf(of)));
  if (run === undefined) return;
  await world.scan();
  const request = world.byTask.get(run.taskId);
  if (request !== undefined) request.isAgentKilled = true;
  await killProcess(run);
}
