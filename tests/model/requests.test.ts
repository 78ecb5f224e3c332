import assert from "node:assert/strict";
import type { LedgerEnd, LedgerRun } from "./agent_ledger.ts";
import { type ModelRequest, newRequest, startedTwice, wrongEnd } from "./requests.ts";

const AGENT = { ending: null, signals: [], hasChild: false, timeout: null };

function request(replaced: Partial<ModelRequest> = {}): ModelRequest {
  return { ...newRequest({ step: 1, lifetime: "detached", agent: AGENT, server: null }), ...replaced };
}

function run(end: LedgerEnd | null): LedgerRun {
  return { keys: ["k1"], taskId: "0123abcd", pid: 1, start: "1", threadId: "thread", end };
}

const DONE = run({ code: 0, turn: "completed", by: "self" });
const FAILED = run({ code: 3, turn: "failed", by: "self" });
const CRASHED = run({ code: 3, turn: "none", by: "self" });
const INTERRUPTED = run({ code: 130, turn: "none", by: "INT" });
const KILLED = run(null);
const CANCELLED: Partial<ModelRequest> = { stops: new Set(["cancelled"]) };

for (
  const { name, given = {}, runs, told, wrong } of [
    { name: "the agent's own end", runs: [DONE], told: ["completed", 0] },
    { name: "the last of several ends", given: { isTold: true }, runs: [INTERRUPTED, FAILED], told: ["failed", 3] },
    { name: "another exit code", runs: [FAILED], told: ["failed", 4], wrong: /exit code 4/ },
    { name: "an exit code that is not known", runs: [FAILED], told: ["failed", null], wrong: /exit code null/ },
    { name: "the same without a shim", given: { isShimKilled: true }, runs: [FAILED], told: ["failed", null] },
    {
      name: "a guess without a shim",
      given: { isShimKilled: true },
      runs: [CRASHED],
      told: ["completed", null],
      wrong: /status/,
    },
    { name: "a success that was none", runs: [CRASHED], told: ["completed", 3], wrong: /status/ },
    { name: "an end of a task that never ran", runs: [], told: ["completed", 0], wrong: /never started/ },
    { name: "a cancel of a task that never ran", given: CANCELLED, runs: [], told: ["cancelled", null] },
    { name: "a cancel that nobody asked for", runs: [DONE], told: ["cancelled", 0], wrong: /status/ },
    { name: "a signal that nobody asked for", runs: [INTERRUPTED], told: ["failed", 130], wrong: /SIGINT/ },
    { name: "a kill that nobody asked for", runs: [KILLED], told: ["failed", 137], wrong: /killed/ },
    { name: "a kill", given: { isAgentKilled: true }, runs: [KILLED], told: ["failed", 137] },
  ] satisfies {
    readonly name: string;
    readonly given?: Partial<ModelRequest>;
    readonly runs: readonly LedgerRun[];
    readonly told: readonly [string, number | null];
    readonly wrong?: RegExp;
  }[]
) {
  Deno.test(`wrongEnd() ${wrong === undefined ? "accepts" : "refuses"} ${name}`, () => {
    const [status, exitCode] = told;
    const found = wrongEnd(request(given), runs, { status, exitCode });
    if (wrong === undefined) assert.equal(found, null);
    else assert.match(String(found), wrong);
  });
}

Deno.test("startedTwice() names the requests that were given to more runs than one", () => {
  assert.deepEqual(startedTwice([DONE, { ...DONE, keys: ["k2"] }]), []);
  assert.deepEqual(startedTwice([DONE, { ...DONE, keys: ["k2", "k1"] }]), ["k1"]);
});
