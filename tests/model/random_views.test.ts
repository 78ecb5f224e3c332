/** A property: whatever tasks hold, what is told of them keeps within the client's budget. */
import assert from "node:assert/strict";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import type { TaskView } from "../../src/supervisor/task_view.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { failureOf } from "../../src/codex/failure.ts";
import { TaskError } from "../../src/task/errors.ts";
import { STARTERS } from "../../src/task/spec.ts";
import { FINAL_STATUSES, isFinished, type Task, type TaskState } from "../../src/task/task.ts";
import { tools } from "../../src/tools/mod.ts";
import { seededRandom } from "../helpers/random.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";

type Random = (below: number) => number;

const LENGTHS = [0, 1, 10, 100, 1_000, 10_000, 30_000];
const ALPHABET = ["a", "b", " ", "\n", '"', "\\", "\u0001", "\u007f", "ß", "ŉ", "漢", "😀", "\ud800", "\udc00", "/"];

/** A text of some length of any one or of several characters, among them those that JSON writes long. */
function randomText(random: Random): string {
  const length = LENGTHS[random(LENGTHS.length)] ?? 0;
  const one = ALPHABET[random(ALPHABET.length)] ?? "";
  if (random(2) === 0) return one.repeat(length);
  return Array.from({ length: Math.min(length, 3_000) }, () => ALPHABET[random(ALPHABET.length)]).join("");
}

function maybe<T>(random: Random, make: () => T): T | null {
  return random(3) === 0 ? null : make();
}

function randomList<T>(random: Random, make: () => T): T[] {
  return Array.from({ length: [0, 1, 20, 100][random(4)] ?? 0 }, make);
}

function randomView(random: Random, id: string): TaskView {
  const text = (): string => randomText(random);
  const progress = {
    ...emptyProgress(),
    threadId: maybe(random, () => random(9) === 0 ? text() : crypto.randomUUID()),
    turnStarted: random(2) === 0,
    lastReasoning: maybe(random, text),
    currentCommand: maybe(random, text),
    lastCommand: maybe(random, () => ({ command: text(), exitCode: maybe(random, () => random(256)) })),
    plan: randomList(random, () => ({ text: text(), completed: random(2) === 0 })),
    filesChanged: randomList(random, () => ({ path: text(), kind: "add" as const })),
    filesChangedBeyond: random(1_000),
    warnings: randomList(random, text),
    waitingForNetwork: maybe(random, text),
    usage: maybe(
      random,
      () => ({ inputTokens: 9e9, cachedInputTokens: 9e9, outputTokens: 9e9, reasoningOutputTokens: 0 }),
    ),
  };
  const status = FINAL_STATUSES[random(FINAL_STATUSES.length)] ?? "failed";
  const failure = status === "completed" ? {} : { failure: failureOf("unknown", text()) };
  const verdict = random(2) === 0 ? {} : { outputSchemaVerdict: { valid: false, errors: randomList(random, text) } };
  const outcome = { status, exitCode: maybe(random, () => random(256)), statusInferred: true, ...failure, ...verdict };
  const at = new Date(0);
  const runs = { startedAt: at, run: 1, input: "prompt.txt", prompts: 0 };
  const states: TaskState[] = [
    { status: "queued" },
    { status: "running", ...runs },
    { status: "waiting", ...runs, until: maybe(random, () => new Date(random(2 ** 31))), isDueAgain: false },
    { status, startedAt: at, endedAt: at, run: 1, prompts: 0, outcome, progress },
  ];
  const task: Task = {
    ...TASK,
    id,
    spec: {
      ...TASK.spec,
      cwd: text(),
      label: text(),
      model: text(),
      notes: randomList(random, text),
      server: { ...TASK.spec.server, cwd: "/repository" },
      startedBy: STARTERS[random(STARTERS.length)] ?? "spawn_agent",
      agentLog: `/logs/${"long/".repeat(random(40))}codex_agent_20260101-000000_1_${id}.log`,
    },
    state: states[random(9)] ?? states[3] ?? TASK.state,
  };
  const directory = new TaskDirectory("/state/codex-swarm/tasks", id);
  return {
    task,
    progress,
    answer: maybe(random, text),
    queuePosition: random(9),
    waitingUntil: maybe(random, () => at),
    isProbeAwaited: random(2) === 0,
    lastEventAt: null,
    silence: maybe(
      random,
      () => ({ silentMs: random(2 ** 31), isStalled: true, words: "running a command", processState: text() }),
    ),
    isShimLost: random(2) === 0,
    unnotedEnd: maybe(random, () => ({ exitCode: maybe(random, () => random(256)) })),
    agentPid: maybe(random, () => random(2 ** 22)),
    directory,
  };
}

for (const answerChars of [10_000, 2_000]) {
  Deno.test(`answers about any tasks keep within ${answerChars} characters`, async () => {
    const random = seededRandom(answerChars);
    for (let round = 0; round < 10; round++) {
      const count = [1, 1, 2, 10, 60][random(5)] ?? 1;
      const ids = Array.from({ length: count }, (_, index) => index.toString(16).padStart(8, "0"));
      const views = new Map(ids.map((id) => [id, randomView(random, id)]));
      const first = views.get("00000000") ?? randomView(random, "00000000");
      const cut: string[] = [];
      await using logs = await tempDirectory();
      const services = toolServices(
        {
          start: () => Promise.resolve(first.task),
          view(id): Promise<TaskView> {
            const view = views.get(id);
            if (view !== undefined) return Promise.resolve(view);
            return Promise.reject(new TaskError("unknown_task", `Cannot find task "${id}": ${randomText(random)}`));
          },
          list: () => Promise.resolve([...views.values()].map(({ task }) => task)),
          ended: () => Promise.resolve(),
          stop: () => Promise.resolve({ answer: "already_ended", report: null }),
          markRead: () => Promise.resolve(),
        },
        cut,
        { logDir: logs.path },
      );
      const strange = randomList(random, () => randomText(random));
      const calls: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
        ["codex_status", {}],
        ["codex_status", { task_ids: [...ids, ...strange] }],
        ["codex_wait", { task_ids: [...ids, ...strange], cursor: strange.join(",") }],
        ["codex_cancel", { task_id: "00000000" }],
        ["codex_cancel", { task_id: strange[0] ?? "" }],
        ["codex_async", { prompt: "go" }],
        ["spawn_agent_async", { prompt: "go" }],
        ["spawn_agents_parallel", { agents: Array(count).fill({ prompt: "go" }), wait: false }],
        ["get_agent_status", { task_id: "00000000" }],
        ["get_agent_status", { task_id: strange[0] ?? "" }],
        ["kill_agent", { task_id: "00000000" }],
        ["list_running_agents", {}],
        ["list_agent_tasks", {}],
        ...(!isFinished(first.task) ? [] : [
          ["spawn_agent", { prompt: "go" }] as const,
          ["spawn_agents_parallel", { agents: [...Array(count).fill({ prompt: "go" }), ...strange] }] as const,
          ["codex", { prompt: "go" }] as const,
          ["codex_reply", { threadId: "t", prompt: "go" }] as const,
        ]),
      ];
      for (const [name, input] of calls) {
        const tool = tools.find((known) => known.name === name);
        assert.ok(tool !== undefined);
        const answer = await tool.handle(input, toolCall({ answerChars }), services);
        const data = JSON.stringify(answer.structured);
        const where = `${name} in round ${round}`;
        assert.ok(answer.text.length <= answerChars, `${where}: a text of ${answer.text.length}`);
        assert.ok(data.length <= answerChars, `${where}: data of ${data.length}`);
        assert.ok(tool.output.safeParse(answer.structured).success || name === "codex_cancel", where);
        if (/^codex(_async|_reply)?$/.test(name)) assert.match(data, /"task_id":"00000000"/);
        // The parts keep within it by themselves, so that the last check has nothing to do.
        assert.deepEqual([where, cut], [where, []]);
      }
    }
  });
}
