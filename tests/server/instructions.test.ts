import assert from "node:assert/strict";
import { join } from "node:path";
import { instructions } from "../../src/server/instructions.ts";
import { tools } from "../../src/tools/mod.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const NAMES = tools.map(({ name }) => name);
const CHOICES: readonly (readonly string[])[] = [
  NAMES,
  NAMES.filter((name) => name.startsWith("codex")),
  NAMES.filter((name) => !name.startsWith("codex")),
  ["codex_wait", "codex_status"],
  ["list_agent_logs"],
];

const TRANSPORTS = ["stdio", "http"] as const;

Deno.test("instructions() stays within 1,000 characters and speaks of the tools that are offered only", () => {
  const open = { running: 999_999, unread: 999_999 };
  const cases = CHOICES.flatMap((toolNames) => TRANSPORTS.map((transport) => ({ toolNames, transport })));
  for (const { toolNames, transport } of cases) {
    const text = instructions({ open, toolNames, transport });
    assert.ok(text.length <= 1_000, `${text.length}`);
    const named = text.match(/\b(codex_\w+|spawn_\w+|get_agent_status)\b/g) ?? [];
    assert.deepEqual(named.filter((name) => !toolNames.includes(name)), []);
  }
});

function lastLine({ client }: Pick<Swarm, "client">): string | undefined {
  return client.getInstructions()?.split("\n").at(-1);
}

Deno.test("a server says at start how many tasks of its repository run or ended unread", async () => {
  await using codex = await installFakeCodex();
  await using first = await startSwarm({ codex });
  const { stateDir, cwd } = first;
  assert.equal(lastLine(first), "At start, this repository had 0 task(s) still running and 0 ended unread.");
  const running = await startTask(first, "fake:hold(never)");
  const unread = await startTask(first, "fake:say(unread)");
  const read = await startTask(first, "fake:say(read)");
  // Both have ended; a list does not count as reading.
  await waitFor(async () => {
    const { structured } = await first.call("codex_status");
    const ended = structured.tasks.filter(({ status }: { status: string }) => status === "completed");
    return ended.length === 2;
  }, { message: `${unread} and ${read} to end` });
  await first.call("codex_wait", { task_ids: [read] });
  // There may be too many to be read before a client is answered, and some may be gone.
  await Deno.writeTextFile(join(stateDir, "tasks", unread, "task.json"), "");
  const [open = ""] = Array.from(Deno.readDirSync(join(stateDir, "open")), ({ name }) => name);
  await Deno.writeTextFile(join(stateDir, "open", open, "0a1b2c3d"), "");
  {
    await using second = await startSwarm({ codex, stateDir, cwd, era: "2026" });
    assert.equal(
      lastLine(second),
      "At start, this repository had 1 task(s) still running and 1 ended unread: see codex_status().",
    );
    await using elsewhere = await startSwarm({ codex, stateDir });
    assert.match(lastLine(elsewhere) ?? "", / 0 task\(s\) still running and 0 ended unread\.$/);
  }
  await first.call("codex_cancel", { task_id: running });
});

Deno.test("a server over HTTP speaks of the tasks of all repositories, since it knows no client's", async () => {
  await using codex = await installFakeCodex();
  await using elsewhere = await startSwarm({ codex });
  const { stateDir } = elsewhere;
  await using server = await startHttpServer({ codex, stateDir });
  for (const era of ["2025", "2026"] as const) {
    await using client = await server.connect({ era });
    assert.deepEqual(client.client.getInstructions()?.split("\n").slice(-2), [
      "Start agents with an absolute cwd: the server does not know yours.",
      "At start, all repositories together had 0 task(s) still running and 0 ended unread.",
    ]);
  }
  const running = await startTask(elsewhere, "fake:hold(never)");
  await using beside = await startSwarm({ codex, stateDir });
  await startTask(beside, "fake:hold(never)");
  await waitFor(async () => {
    await using client = await server.connect();
    return lastLine(client) ===
      "At start, all repositories together had 2 task(s) still running and 0 ended unread: see codex_status(cwd).";
  }, { message: "both to be counted" });
  await elsewhere.call("codex_cancel", { task_id: running });
});
