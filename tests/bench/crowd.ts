/** A hundred agents at once: every event of every one must be seen. */
import { join } from "node:path";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { formatMs, type Row } from "./row.ts";

const TASKS = 100;
const MESSAGES = 50;
/** The thread's and the turn's start, the messages, the answer, the turn's end. */
const EVENTS = TASKS * (MESSAGES + 4);

export async function benchCrowd(): Promise<Row[]> {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", String(TASKS)] });
  const startedAt = performance.now();
  const ids = await Promise.all(Array.from({ length: TASKS }, async () => {
    const { structured } = await swarm.call("codex_async", { prompt: `quick: events=${MESSAGES} seconds=2` });
    return String(structured.task_id);
  }));
  const startedMs = performance.now() - startedAt;
  const told = await waitForAll(swarm, ids);
  const endedMs = performance.now() - startedAt;
  let written = 0;
  let seen = 0;
  for (const id of ids) {
    const directory = join(swarm.stateDir, "tasks", id);
    written += (await Deno.readTextFile(join(directory, "events.jsonl"))).split("\n").length - 1;
    seen += JSON.parse(await Deno.readTextFile(join(directory, "task.json"))).state.progress.events;
  }
  const isKept = told.length === TASKS && new Set(told).size === TASKS && seen === EVENTS && written === EVENTS;
  return [
    { what: "100 agents of 2 s: started", value: formatMs(startedMs) },
    { what: "  all told by codex_wait", value: formatMs(endedMs) },
    { what: "  most at once", value: String(codex.mostAtOnce()) },
    { what: "  ends told, each once", value: String(told.length), bound: `= ${TASKS}`, isKept },
    { what: "  events seen of those written", value: `${seen} of ${written}`, bound: `= ${EVENTS}`, isKept },
  ];
}

/** Ids as `codex_wait` told them, over as many calls as it takes. */
async function waitForAll(swarm: Swarm, ids: readonly string[]): Promise<string[]> {
  const told: string[] = [];
  for (let cursor = ""; told.length < ids.length;) {
    const { structured } = await swarm.call("codex_wait", { task_ids: ids, cursor });
    const ended: readonly { task_id: string; status: string }[] = structured.tasks;
    if (ended.length === 0) break;
    told.push(...ended.map(({ task_id }) => task_id));
    cursor = structured.cursor;
  }
  return told;
}
