/** Children of the real Codex's commands that try to outlive it, in danger-full-access, where no sandbox ends them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { familyOf, isRunning, survivors, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { startAgent, waitForAgent } from "../helpers/agents.ts";
import { startBareCodex } from "../helpers/bare_codex.ts";
import { scripted, startMockModel } from "../helpers/mock_model.ts";
import { makeCodexHome } from "../helpers/real_codex.ts";
import { type RealSwarm, startRealSwarm } from "../helpers/real_swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

// macOS has no setsid(1).
const ignore = Deno.build.os !== "linux";
/** A small MCP server, as a shell starts it; TRACE is a file that it makes. */
const TINY = `${Deno.execPath()} run --quiet --no-config --allow-all ${
  fileURLToPath(new URL("../fixtures/tiny_mcp_server.ts", import.meta.url))
} TRACE`;
const DANGER = { sandbox: "danger-full-access" };

interface Brood {
  readonly setsid: string;
  readonly all: readonly string[];
  /** Starts all of them and waits for the last one. */
  readonly prompt: string;
  /** Starts all but the last one and ends. */
  readonly quickPrompt: string;
}

/** Commands that get away from their shell in every way. */
function brood(): Brood {
  const [setsid, nohup, deaf, last] = [uniqueSleep(), uniqueSleep(), uniqueSleep(), uniqueSleep()];
  const quiet = ">/dev/null 2>&1";
  const children =
    `setsid ${setsid} ${quiet} & nohup ${nohup} ${quiet} & (trap '' INT TERM HUP; exec ${deaf}) ${quiet} &`;
  return {
    setsid,
    all: [setsid, nohup, deaf, last],
    prompt: scripted({ shell: `${children} ${last}; echo slept` }, { say: "done" }),
    // What runs in a session of its own has left the shell's group when setsid(1) has become it.
    quickPrompt: scripted({ shell: `${children} until pgrep -fx '${setsid}'; do sleep 0.05; done` }, { say: "done" }),
  };
}

Deno.test({ name: "a child in a session of its own outlives a Codex that SIGINT ends (control)", ignore }, async () => {
  await using model = await startMockModel();
  await using home = makeCodexHome();
  await using repo = await tempRepo();
  const { setsid, all, prompt } = brood();
  await using codex = await startBareCodex(prompt, { model, home: home.path, cwd: repo.path, ...DANGER });
  await untilRunning(...all);
  codex.kill("SIGINT");
  await codex.ended;
  assert.deepEqual(await survivors(...all), [setsid]);
  await new Deno.Command("pkill", { args: ["-KILL", "-fx", setsid] }).output();
});

for (
  const { how, args, parameters, end } of [
    {
      how: "codex_cancel",
      end: async ({ swarm, id }) => {
        const { structured } = await swarm.call("codex_cancel", { task_id: id });
        assert.deepEqual([structured.status, structured.left_behind], ["cancelled", undefined]);
      },
    },
    {
      how: "its time limit",
      parameters: { timeout: 6 },
      end: async ({ swarm, id }) => {
        const [task] = await swarm.ends(id);
        assert.deepEqual([task.status, task.left_behind], ["timed_out", undefined]);
      },
    },
    {
      how: "the end of its server",
      args: ["--on-exit", "stop"],
      end: async ({ swarm }) => {
        swarm.process.kill("SIGTERM");
        await swarm.process.ended;
      },
    },
    {
      how: "the death of its server",
      args: ["--on-exit", "stop", "--orphan-grace", "1s"],
      end: async ({ swarm, id, all }) => {
        const start = performance.now();
        swarm.process.kill("SIGKILL");
        await waitFor(async () => (await survivors(...all)).length === 0, { message: "the children to be gone" });
        assert.ok(performance.now() - start < 4_000, `${performance.now() - start} ms`);
        await waitFor(async () => (await familyOf(id)).length === 0, { message: "the shim to be gone" });
      },
    },
  ] satisfies readonly {
    how: string;
    args?: readonly string[];
    parameters?: Readonly<Record<string, unknown>>;
    end: (agent: { swarm: RealSwarm; id: string; all: readonly string[] }) => Promise<void>;
  }[]
) {
  Deno.test({ name: `nothing survives an agent that is ended by ${how}`, ignore }, async () => {
    await using swarm = await startRealSwarm(args === undefined ? {} : { args });
    const { all, prompt } = brood();
    const id = await swarm.begin(prompt, { ...DANGER, ...parameters });
    await untilRunning(...all);
    await end({ swarm, id, all });
    assert.deepEqual(await survivors(...all), []);
    assert.deepEqual(await familyOf(id), []);
  });
}

for (
  const { how, parameters, signal } of [
    { how: "kill_agent", parameters: {}, signal: "SIGTERM" },
    { how: "kill_agent by force", parameters: { force: true }, signal: "SIGKILL" },
  ]
) {
  Deno.test({ name: `nothing survives ${how}`, ignore }, async () => {
    await using swarm = await startRealSwarm();
    const { all, prompt } = brood();
    const task_id = await startAgent(swarm, prompt, DANGER);
    await untilRunning(...all);
    const start = performance.now();
    const { structured } = await swarm.call("kill_agent", { task_id, ...parameters });
    assert.ok(performance.now() - start < 4_000);
    const { killed, signal_used, pid, other_processes_killed } = structured;
    assert.deepEqual([killed, signal_used, typeof pid], [true, signal, "number"]);
    assert.ok(other_processes_killed >= 2, JSON.stringify(structured));
    assert.deepEqual(await survivors(...all), []);
    assert.equal((await waitForAgent(swarm, task_id, "killed")).error, undefined);
  });
}

Deno.test(
  { name: "nothing survives of the MCP server of a cancelled agent, which no sandbox holds", ignore },
  async () => {
    await using directory = await tempDirectory();
    const [child, own] = [uniqueSleep(), uniqueSleep()];
    const server = `setsid ${child} >/dev/null 2>&1 </dev/null & trap '' INT TERM; exec ${TINY}`;
    const args = ["-c", server.replaceAll("TRACE", join(directory.path, "started"))];
    const config = `[mcp_servers.tiny]\ncommand = "/bin/sh"\nargs = ${
      JSON.stringify(args)
    }\nstartup_timeout_sec = 30\n`;
    await using swarm = await startRealSwarm({ config });
    const id = await swarm.begin(scripted({ shell: own }), { sandbox: "workspace-write" });
    await untilRunning(child, own);
    const { structured } = await swarm.call("codex_cancel", { task_id: id });
    assert.deepEqual([structured.status, await survivors(child, own), await familyOf(id)], ["cancelled", [], []]);
  },
);

Deno.test(
  { name: "what an agent leaves behind at its normal end is told, and codex_cancel ends it", ignore },
  async () => {
    await using swarm = await startRealSwarm();
    const { setsid, all, quickPrompt } = brood();
    const { text, structured } = await swarm.call("codex", { prompt: quickPrompt, ...DANGER });
    assert.deepEqual([structured.status, structured.content], ["completed", "done"]);
    // Codex itself ends what has stayed in the group of its shell.
    assert.deepEqual(await survivors(...all), [setsid]);
    assert.equal(structured.left_behind, "1 process outlived the agent; codex_cancel ends it");
    assert.match(text, /\nLeft behind: 1 process outlived the agent/);
    const { task_id } = structured;
    const status = await swarm.call("codex_status", { task_ids: [task_id] });
    assert.match(status.text, /^Left behind: 1 process outlived the agent; codex_cancel ends it$/m);
    const cancel = await swarm.call("codex_cancel", { task_id });
    assert.deepEqual([cancel.structured.status, await isRunning(setsid)], ["completed", false]);
    assert.equal(
      cancel.text,
      `Task ${task_id}: Task already completed; what it had left behind is ended now (1 process)`,
    );
  },
);
