/** A look at a task costs what is new in its log, not what is in it. */
import assert from "node:assert/strict";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { formatMs, median, type Row } from "./row.ts";

const SMALL_BYTES = 1_000_000;
const LARGE_BYTES = 100_000_000;
const LOOKS = 101;
const MAX_RATIO = 1.2;
const LINE = `${
  JSON.stringify({
    type: "item.completed",
    item: {
      id: "item_1",
      type: "command_execution",
      command: "make",
      aggregated_output: "x".repeat(1800),
      exit_code: 0,
    },
  })
}\n`;

/** Looks in turn at two running tasks that each got one more event. */
export async function benchLongLog(): Promise<Row[]> {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex });
  const small = await startWithLog(swarm, SMALL_BYTES);
  const large = await startWithLog(swarm, LARGE_BYTES);
  const firstStartedAt = performance.now();
  await look(swarm, large.id);
  const firstMs = performance.now() - firstStartedAt;
  await look(swarm, small.id);
  const times = { small: new Array<number>(), large: new Array<number>() };
  for (let index = 0; index < LOOKS; index++) {
    times.small.push(await timeLook(swarm, small));
    times.large.push(await timeLook(swarm, large));
  }
  await swarm.call("codex_cancel", { task_id: small.id });
  await swarm.call("codex_cancel", { task_id: large.id });
  const ratio = median(times.large) / median(times.small);
  return [
    { what: "codex_status, first look at a log of 100 MB", value: formatMs(firstMs) },
    { what: "  later looks, 100 MB", value: formatMs(median(times.large)) },
    { what: "  later looks, 1 MB", value: formatMs(median(times.small)) },
    { what: "  ratio", value: ratio.toFixed(2), bound: `≤ ${MAX_RATIO}`, isKept: ratio <= MAX_RATIO },
  ];
}

interface LoggingTask {
  readonly id: string;
  readonly log: string;
}

/** Starts a task that sleeps and writes events in its place: into its log, as Codex does. */
async function startWithLog(swarm: Swarm, bytes: number): Promise<LoggingTask> {
  const { structured } = await swarm.call("codex_async", { prompt: "quick: seconds=600" });
  const task: LoggingTask = { id: structured.task_id, log: structured.events_file };
  await waitFor(async () => (await Deno.stat(task.log)).size > 0, { message: "the task's first event" });
  const block = LINE.repeat(500);
  for (let written = 0; written < bytes; written += block.length) {
    await Deno.writeTextFile(task.log, block, { append: true });
  }
  return task;
}

async function timeLook(swarm: Swarm, { id, log }: LoggingTask): Promise<number> {
  await Deno.writeTextFile(log, LINE, { append: true });
  const startedAt = performance.now();
  await look(swarm, id);
  return performance.now() - startedAt;
}

async function look(swarm: Swarm, id: string): Promise<void> {
  const { structured: { tasks: [task] } } = await swarm.call("codex_status", { task_ids: [id] });
  assert.equal(task.last_command.command, "make");
}
