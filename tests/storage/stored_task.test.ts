import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseTask, serializeTask, TASK_FORMAT } from "../../src/storage/stored_task.ts";

/** Directories as versions of this program have left them on people's disks. */
const STATE = fileURLToPath(new URL("../fixtures/state", import.meta.url));

/** The states of the tasks of each format, in the order of their ids. */
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  "1": ["queued", "running", "completed", "failed", "cancelled", "timed_out", "interrupted"],
  "2": ["queued", "running", "completed", "waiting", "waiting", "failed"],
};

/** Every record there is. */
const RECORDS = Object.entries(STATUSES).flatMap(([format, statuses]) =>
  statuses.map((status, index) => ({ format, id: `0000000${index + 1}`, status }))
);

function recordOf({ format, id }: { readonly format: string; readonly id: string }): string {
  return Deno.readTextFileSync(join(STATE, format, "tasks", id, "task.json"));
}

for (const [format, expected] of Object.entries(STATUSES)) {
  Deno.test(`parseTask() reads every record of format ${format}`, () => {
    const records = RECORDS.filter((record) => record.format === format);
    assert.deepEqual(records.map((record) => parseTask(recordOf(record)).state.status), expected);
  });
}

for (const record of RECORDS) {
  const what = `a record of format ${record.format} of a ${record.status} task, ${record.id}`;
  Deno.test(`serializeTask() keeps all that ${what}, holds`, () => {
    const text = recordOf(record);
    assert.deepEqual(JSON.parse(serializeTask(parseTask(text))), asNow(JSON.parse(text)));
  });

  Deno.test(`serializeTask() keeps what a later program added to ${what}, at every level`, () => {
    const later = withLaterFields(asNow(JSON.parse(recordOf(record))));
    const text = JSON.stringify(later);
    assert.ok(text.split('"later_field"').length > 4);
    assert.deepEqual(JSON.parse(serializeTask(parseTask(text))), later);
  });
}

type Fields = Readonly<Record<string, unknown>>;

/** The record as this program writes it: with all that came into records since it was written. */
function asNow({ spec, state, ...record }: { readonly spec: Fields; readonly state: Fields } & Fields): unknown {
  const server = {
    config: [],
    skipGitRepoCheck: false,
    ephemeral: false,
    envNames: [],
    withheldEnv: [],
    hasEnvPolicy: true,
    disabledMcpServers: [],
    cwd: "",
    ...Object(spec["server"]),
  };
  const progress = {
    earlierThreadId: null,
    eventsOfRun: 0,
    hasModelAnswered: false,
    droppedBytes: 0,
    ...Object(state["progress"]),
  };
  const runs = state["status"] === "queued"
    ? {}
    : state["status"] === "waiting"
    ? { input: "prompt.txt", prompts: 0, isDueAgain: false }
    : state["status"] === "running"
    ? { input: "prompt.txt", prompts: 0 }
    : { prompts: 0, progress };
  return {
    ...record,
    format: TASK_FORMAT,
    spec: { codexHome: "", account: "", ...spec, server },
    state: { ...runs, ...state, ...("progress" in runs ? { progress } : {}) },
  };
}

/** The same with another field in each object. */
function withLaterFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLaterFields);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, inner]) => [name, withLaterFields(inner)]);
  return { ...Object.fromEntries(fields), later_field: { of: ["a later program"] } };
}

Deno.test("parseTask() reads instants as dates", () => {
  const { createdAt, state } = parseTask(recordOf({ format: "1", id: "00000004" }));
  assert.deepEqual(createdAt, new Date("2026-11-04T09:30:04.125Z"));
  assert.ok("outcome" in state);
  assert.deepEqual(state.outcome.failure?.resetsAt, new Date("2026-11-04T09:30:50.125Z"));
});

for (
  const [name, text] of [
    ["nothing", ""],
    ["half a record", recordOf({ format: "1", id: "00000003" }).slice(0, 400)],
    ["no object", "[]"],
    [
      "a record without its state",
      JSON.stringify({ ...JSON.parse(recordOf({ format: "1", id: "00000001" })), state: undefined }),
    ],
    [
      "an unknown state",
      JSON.stringify({ ...JSON.parse(recordOf({ format: "1", id: "00000001" })), state: { status: "asleep" } }),
    ],
  ] as const
) {
  Deno.test(`parseTask() refuses ${name}`, () => {
    assert.throws(() => parseTask(text));
  });
}
