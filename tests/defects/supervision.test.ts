/** Defects of codex-mcp-swarm in how it looked after processes; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { isAlive } from "../helpers/processes.ts";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const NAMES = ["plain", "session", "hangup", "deaf"];

/** An agent whose command starts children that get away in every usual way, and then takes for ever. */
function familyPrompt(): string {
  const idle = (name: string): string => `sh -c 'echo $$ >${name}.pid; exec sleep 1000' >/dev/null 2>&1`;
  return [
    "fake:run(",
    `${idle("plain")} &`,
    // macOS has no setsid(1).
    `$(command -v setsid) ${idle("session")} &`,
    `nohup ${idle("hangup")} &`,
    `\\(trap '' INT TERM HUP; exec ${idle("deaf")}\\) &`,
    "wait)",
  ].join(" ");
}

/** The agent and all its children. */
async function familyOf(yard: ServersYard, cwd: string): Promise<number[]> {
  const children = NAMES.map((name) =>
    waitFor(async () => Number(await Deno.readTextFile(join(cwd, `${name}.pid`))) || null, {
      message: `${name} to run`,
    })
  );
  const agent = await waitFor(() => yard.codex.ledger().at(-1)?.pid, { message: "the agent to run" });
  return [agent, ...await Promise.all(children)];
}

async function alive(pids: readonly number[]): Promise<boolean[]> {
  return await Promise.all(pids.map(isAlive));
}

for (
  const { what, parameters, end } of [
    {
      what: "cancelled",
      parameters: {},
      end: async (swarm: Swarm, id: string) => void await swarm.call("codex_cancel", { task_id: id }),
    },
    { what: "over its time limit", parameters: { timeout: 2 }, end: () => Promise.resolve() },
  ]
) {
  Deno.test(
    { name: `B10: with an agent that is ${what} end all its children, however they got away`, ignore },
    async () => {
      await using yard = await serversYard();
      await using swarm = await yard.start();
      const id = await startTask(swarm, familyPrompt(), { sandbox: "danger-full-access", ...parameters });
      const pids = await familyOf(yard, yard.cwd);
      assert.deepEqual(await alive(pids), pids.map(() => true));
      await end(swarm, id);
      await swarm.call("codex_wait", { task_ids: [id] });
      await waitFor(async () => !(await alive(pids)).includes(true), { message: "all of them to be gone" });
    },
  );
}

for (
  const { what, args, end } of [
    { what: "SIGTERM", args: [], end: (server: Swarm) => Promise.resolve(server.process.kill("SIGTERM")) },
    { what: "the end of its input", args: [], end: (server: Swarm) => server.process.closeInput() },
    { what: "SIGKILL", args: ["--orphan-grace", "0"], end: (server: Swarm) => killServer(server) },
  ]
) {
  Deno.test(
    { name: `B11: with a server that ends by ${what} end the agents of its calls, and their children`, ignore },
    async () => {
      await using yard = await serversYard();
      await using server = await yard.start({ args });
      const call = server.call("codex", { prompt: familyPrompt(), sandbox: "danger-full-access" }).catch(() =>
        undefined
      );
      const pids = await familyOf(yard, yard.cwd);
      assert.deepEqual(await alive(pids), pids.map(() => true));
      await end(server);
      await server.process.ended;
      await call;
      await waitFor(async () => !(await alive(pids)).includes(true), { message: "all of them to be gone" });
    },
  );
}

Deno.test(
  { name: "B12: another server tells the exit code itself, and takes no talk on stderr for a failure", ignore },
  async () => {
    await using yard = await serversYard();
    const ids: string[] = [];
    {
      await using first = await yard.start();
      const noise = "fake:stderr(ERROR codex_core: something harmless)";
      for (const end of ["fake:say(fine)", "fake:crash(3)"]) {
        ids.push(await startTask(first, `${noise} fake:hold(go) ${end}`));
      }
      for (const id of ids) await waitForTask(first, id, ({ thread_id }) => thread_id !== undefined);
      await killServer(first);
    }
    await using second = await yard.start();
    await release(second, "go");
    await second.call("codex_wait", { task_ids: ids });
    const ends = await Promise.all(ids.map((id) => lookAt(second, id)));
    assert.deepEqual(ends.map(({ status, exit_code, status_inferred }) => [status, exit_code, status_inferred]), [
      ["completed", 0, undefined],
      ["failed", 3, undefined],
    ]);
  },
);

Deno.test(
  { name: "B31: a server tidies up though nothing is started, and makes its directories whole", ignore },
  async () => {
    await using yard = await serversYard();
    const stateDir = join(yard.stateDir, "deep", "in", "the", "woods");
    const ids: string[] = [];
    {
      await using first = await yard.start({ stateDir });
      for (const answer of ["old", "young"]) {
        const { structured } = await first.call("codex", { prompt: `fake:say(${answer})` });
        ids.push(structured.task_id);
      }
      ids.push(await startTask(first, "fake:hold(go)"));
      await waitForTask(first, ids[2] ?? "", ({ thread_id }) => thread_id !== undefined);
    }
    const [old = "", young = "", running = ""] = ids.map((id) => join(stateDir, "tasks", id));
    const record = JSON.parse(await Deno.readTextFile(join(old, "task.json")));
    record.createdAt = record.state.startedAt = record.state.endedAt = "2026-01-01T00:00:00.000Z";
    await Deno.writeTextFile(join(old, "task.json"), JSON.stringify(record));
    await Deno.remove(join(stateDir, "tasks", ".index"), { recursive: true });
    // As old as the first one, but its agent works.
    const live = JSON.parse(await Deno.readTextFile(join(running, "task.json")));
    await Deno.writeTextFile(join(running, "task.json"), JSON.stringify({ ...live, createdAt: record.createdAt }));

    await using next = await yard.start({ stateDir, env: { CODEX_SWARM_TASK_MAX_AGE: "1" } });
    await waitFor(() => Deno.stat(old).then(() => false, () => true), { message: "the old task to be removed" });
    assert.ok((await Deno.stat(young)).isDirectory);
    assert.ok(await readNotedRun(running));
    const rung = (): string[] => Array.from(Deno.readDirSync(join(stateDir, "ended")), ({ name }) => name);
    await waitFor(() => !rung().includes(ids[0] ?? ""), { message: "what it rang with to be removed" });
    assert.ok(rung().includes(ids[1] ?? ""));
    await next.call("codex_cancel", { task_id: ids[2] });
  },
);
