import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseTask, serializeTask, TASK_FORMAT } from "../../src/storage/stored_task.ts";

/** Directories as versions of this program have left them on people's disks. */
const STATE = fileURLToPath(new URL("../fixtures/state", import.meta.url));

const STATUSES: Readonly<Record<string, string>> = {
  "00000001": "queued",
  "00000002": "running",
  "00000003": "completed",
  "00000004": "failed",
  "00000005": "cancelled",
  "00000006": "timed_out",
  "00000007": "interrupted",
};

function recordOf(id: string): string {
  return Deno.readTextFileSync(join(STATE, "1", "tasks", id, "task.json"));
}

Deno.test("parseTask() reads every record of format 1", () => {
  const statuses = Object.keys(STATUSES).map((id) => [id, parseTask(recordOf(id)).state.status]);
  assert.deepEqual(Object.fromEntries(statuses), STATUSES);
});

for (const [id, status] of Object.entries(STATUSES)) {
  Deno.test(`serializeTask() keeps all that a record of a ${status} task holds`, () => {
    const text = recordOf(id);
    assert.deepEqual(JSON.parse(serializeTask(parseTask(text))), asNow(JSON.parse(text)));
  });
}

for (const [id, status] of Object.entries(STATUSES)) {
  Deno.test(`serializeTask() keeps what a later program added to a record of a ${status} task, at every level`, () => {
    const later = withLaterFields(asNow(JSON.parse(recordOf(id))));
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
    withheldEnv: [],
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
    : state["status"] === "running"
    ? { input: "prompt.txt", prompts: 0 }
    : { prompts: 0, progress };
  return {
    ...record,
    format: TASK_FORMAT,
    spec: { codexHome: "", account: "", ...spec, server },
    state: { ...state, ...runs },
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
  const { createdAt, state } = parseTask(recordOf("00000004"));
  assert.deepEqual(createdAt, new Date("2026-11-04T09:30:04.125Z"));
  assert.ok("outcome" in state);
  assert.deepEqual(state.outcome.failure?.resetsAt, new Date("2026-11-04T09:30:50.125Z"));
});

for (
  const [name, text] of [
    ["nothing", ""],
    ["half a record", recordOf("00000003").slice(0, 400)],
    ["no object", "[]"],
    ["a record without its state", JSON.stringify({ ...JSON.parse(recordOf("00000001")), state: undefined })],
    ["an unknown state", JSON.stringify({ ...JSON.parse(recordOf("00000001")), state: { status: "asleep" } })],
  ] as const
) {
  Deno.test(`parseTask() refuses ${name}`, () => {
    assert.throws(() => parseTask(text));
  });
}
