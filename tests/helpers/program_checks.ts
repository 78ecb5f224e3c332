/** What must hold for the program in any form: as its sources, as one bundled file, and as a compiled one. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { readExit, readNotedRun } from "../../src/process/run_files.ts";
import { listTool } from "../../src/server/list_tool.ts";
import { tools } from "../../src/tools/mod.ts";
import { startHttpServer } from "./http_server.ts";
import type { ProgramForm } from "./program_forms.ts";
import { killServer, type ServersYard, serversYard } from "./servers_yard.ts";
import { startSwarm } from "./swarm.ts";
import { lookAt, release, startTask, waitForStatus } from "./tasks.ts";
import { tempRepo } from "./temp_repo.ts";
import { prepareVisit, WAYS } from "./visit.ts";
import { waitFor } from "./wait_for.ts";
import { work } from "./worktree_calls.ts";

export interface ProgramCheck {
  readonly name: string;
  /** Whether it holds on Windows, where no shim runs. */
  readonly isForWindows: boolean;
  /** Throws where the program is not what it should be. */
  readonly run: (form: ProgramForm) => Promise<void>;
}

const CHECKS: readonly ProgramCheck[] = [
  { name: "tells its version", isForWindows: true, run: tellsVersion },
  { name: "answers over standard input and output", isForWindows: true, run: answersStdio },
  { name: "serves whoever has the token over HTTP", isForWindows: true, run: servesHttp },
  { name: "reaches nobody and loads nothing foreign", isForWindows: false, run: reachesNobody },
  { name: "its shim notes how an agent ended whose server was killed", isForWindows: false, run: shimNotes },
  { name: "adopts the agent of a server that was killed", isForWindows: false, run: adopts },
  { name: "has agents work in worktrees, and merges", isForWindows: false, run: merges },
];

/** Those that can be made of a form on this system. */
export function checksOf(form: ProgramForm): readonly ProgramCheck[] {
  return CHECKS.filter(({ run, isForWindows }) =>
    (isForWindows || Deno.build.os !== "windows") && (form.visited !== null || run !== reachesNobody)
  );
}

type Options = Pick<ProgramForm, "command" | "codex">;

function optionsOf({ command, codex }: ProgramForm): Options {
  return { command, ...(codex === undefined ? {} : { codex }) };
}

async function tellsVersion({ command: [program, ...args] }: ProgramForm): Promise<void> {
  const { stdout } = await new Deno.Command(program, { args: [...args, "--version"], stdin: "null" }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), `codex-swarm ${manifest.version}`);
}

/** The one that finds most. */
export async function answersStdio(form: ProgramForm): Promise<void> {
  await using swarm = await startSwarm(optionsOf(form));
  assert.deepEqual(swarm.client.getServerVersion(), {
    name: "codex-swarm",
    title: "codex-swarm",
    version: manifest.version,
  });
  const { tools: listed } = await swarm.client.listTools();
  assert.deepEqual(listed, JSON.parse(JSON.stringify(tools.map(listTool))));

  const { structured, isError } = await swarm.call("codex", { prompt: "fake:say(done)" });
  assert.deepEqual([structured.content, structured.status, isError], ["done", "completed", false]);

  const { permissions } = await swarm.resource("server-info");
  const granted = Object.entries(permissions).flatMap(([name, state]) => state === "granted" ? [name] : []);
  assert.deepEqual(granted, ["run", "read", "write", "env", "sys"]);
  assert.deepEqual(swarm.process.strayLines, []);
  await swarm.client.close();
  assert.equal((await swarm.process.ended).code, 0);
}

async function servesHttp(form: ProgramForm): Promise<void> {
  await using server = await startHttpServer(optionsOf(form));
  const health = await (await fetch(new URL("/healthz", server.url))).json();
  assert.equal(health.version, manifest.version);
  const stranger = await server.send({ method: "POST", body: "{}", headers: { authorization: "Bearer another" } });
  await stranger.body?.cancel();
  assert.equal(stranger.status, 401);
  await using client = await server.connect();
  const { structured } = await client.call("codex", { prompt: "fake:say(over HTTP)" });
  assert.deepEqual([structured.content, structured.status], ["over HTTP", "completed"]);
}

async function reachesNobody(form: ProgramForm): Promise<void> {
  assert.ok(form.visited !== null);
  await using visit = await prepareVisit(form.visited);
  // What is said of it differs from version to version of Deno.
  const tryAll = async (): Promise<void> => {
    const outcomes = await visit.tryAll();
    assert.deepEqual(Object.keys(outcomes), WAYS);
    assert.deepEqual(WAYS.filter((way) => outcomes[way] === "open"), form.open);
    assert.equal(visit.arrived(), 0);
  };
  {
    await using _swarm = await startSwarm({ ...optionsOf(form), ...visit });
    await tryAll();
  }
  await visit.comeAgain();
  await using _server = await startHttpServer({ ...optionsOf(form), ...visit });
  await tryAll();
}

/** Starts an agent that waits, kills its server, and gives the id of the task. */
async function startAndKill(yard: ServersYard, form: ProgramForm): Promise<string> {
  await using swarm = await yard.start(optionsOf(form));
  const id = await startTask(swarm, "fake:hold(open) fake:crash(7)");
  await waitFor(() => readNotedRun(yard.task(id)), { message: "the agent to start" });
  await killServer(swarm);
  return id;
}

async function shimNotes(form: ProgramForm): Promise<void> {
  await using yard = await serversYard();
  const id = await startAndKill(yard, form);
  await release(yard, "open");
  const { exitCode } = await waitFor(() => readExit(yard.task(id), 1), { message: "the shim to note the end" });
  assert.equal(exitCode, 7);
}

async function adopts(form: ProgramForm): Promise<void> {
  await using yard = await serversYard();
  const id = await startAndKill(yard, form);
  await using next = await yard.start(optionsOf(form));
  await waitForStatus(next, id, "running");
  await release(yard, "open");
  await next.call("codex_wait", { task_ids: [id] });
  const { status, exit_code, status_inferred } = await lookAt(next, id);
  assert.deepEqual([status, exit_code, status_inferred], ["failed", 7, undefined]);
  if (form.codex === undefined) assert.equal(yard.codex.ledger().length, 1, "the agent was started anew");
}

async function merges(form: ProgramForm): Promise<void> {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ ...optionsOf(form), cwd: repo.path });
  const { task_id } = await work(swarm, "fake:write(new.txt, from an agent) fake:say(written)");
  const { structured, text, isError } = await swarm.call("codex_merge", { task_id, update_checkout: true });
  assert.ok(!isError && structured.merged, text);
  assert.match(await repo.git("show", "main:new.txt"), /^from an agent/);
}
