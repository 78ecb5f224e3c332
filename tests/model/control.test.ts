/** What the random histories would tell if a promise were broken: here the test itself breaks it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runHistory } from "./run_history.ts";
import type { Step } from "./steps.ts";
import type { World } from "./world.ts";

const ignore = Deno.build.os !== "linux";

const AGENT = { ending: { code: 0, turn: "completed" }, signals: [], hasChild: false, timeout: null } as const;
const TAMPER = 4;
const STEPS: readonly Step[] = ([
  { kind: "start server", server: 0 },
  { kind: "spawn", server: 0, tool: "codex_async", agent: AGENT },
  { kind: "meet", of: 1 },
  { kind: "stranger", of: 1, looks: "same words" },
  { kind: "rest" },
  { kind: "compare" },
] as const).map((action, number) => ({ number, isSettled: true, ...action }));

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

for (
  const { name, tamper, broken } of [
    { name: "nothing", tamper: () => Promise.resolve(), broken: /^$/ },
    {
      name: "an end that changes",
      tamper: (task: string) => edit(join(task, "task.json"), (text) => text.replace('"exitCode": 0', '"exitCode": 1')),
      broken: /the end of task .* has changed/,
    },
    { name: "a task that vanishes", tamper: (task: string) => Deno.rename(task, `${task}x`), broken: /is gone/ },
    {
      name: "a second start",
      tamper: (_task: string, { codex: { model } }: World) =>
        edit(join(model, "ledger"), (text) => `${text}${text.split("\n")[0]?.replace(/ \d+ \d+ /, " 1 1 ")}\n`),
      broken: /k1 was started twice/,
    },
    {
      name: "a stranger who is signalled",
      tamper: (_task: string, { strangers }: World) => strangers.kill(),
      broken: /same words of task .* ended with SIGKILL/,
    },
    {
      name: "more agents than slots",
      tamper: async (_task: string, { codex: { model } }: World) =>
        await Deno.writeTextFile(join(model, "ledger"), await livingAgents(), { append: true }),
      broken: /2 agents at once/,
    },
  ]
) {
  Deno.test({ name: `a history tells of ${name}`, ignore }, async () => {
    const report = await runHistory(
      STEPS,
      { places: 2, maxConcurrent: 1, orphanGraceMs: 1_000 },
      async (step, world) => {
        const [id = ""] = world.byTask.keys();
        if (step.number === TAMPER) await tamper(world.directory(id).path, world);
      },
    );
    assert.match(report.broken.join("\n"), broken);
  });
}

/** This very process and the one above it. */
async function livingAgents(): Promise<string> {
  const lines = await Promise.all([Deno.pid, Deno.ppid].map(async (pid) => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return `start other${pid} ffffffff ${pid} ${stat.slice(stat.lastIndexOf(")")).split(" ")[20]} thread${pid}\n`;
  }));
  return lines.join("");
}
