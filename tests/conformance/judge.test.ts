import assert from "node:assert/strict";
import { judge } from "./judge.ts";
import type { Check, Findings } from "./suite.ts";

const RIGHT: Check = { id: "right", status: "SUCCESS" };
const WRONG: Check = { id: "wrong", status: "FAILURE", errorMessage: "got 200" };
const WARNED: Check = { id: "warned", status: "WARNING" };

Deno.test("judge() names whatever is not right, not expected, not there", () => {
  const findings: Findings = new Map([
    ["fine", [RIGHT, { id: "seen", status: "INFO" }]],
    ["wrong", [RIGHT, WRONG]],
    ["warned", [RIGHT, WARNED, { id: "skipped", status: "SKIPPED" }]],
    ["empty", []],
    ["idle", [{ id: "seen", status: "INFO" }]],
  ]);
  const of = (scenario: string, ...expected: Parameters<typeof judge>[1]["expected"]): string[] =>
    judge(scenario, { findings, expected });
  const warning = { check: "warned", status: "WARNING" } as const;
  assert.deepEqual(of("fine"), []);
  assert.deepEqual(of("wrong"), ["FAILURE wrong: got 200"]);
  assert.deepEqual(of("warned"), ["WARNING warned: no reason given", "SKIPPED skipped: no reason given"]);
  assert.deepEqual(of("warned", warning, { check: "skipped", status: "SKIPPED" }), []);
  assert.deepEqual(of("fine", warning), ["WARNING warned is expected and was not found"]);
  assert.deepEqual(of("wrong", { check: "wrong", status: "WARNING" }), [
    "FAILURE wrong: got 200",
    "WARNING wrong is expected and was not found",
  ]);
  assert.deepEqual(of("empty"), ["it has found nothing right"]);
  assert.deepEqual(of("idle"), ["it has found nothing right"]);
  assert.deepEqual(of("absent"), ["it did not run"]);
});
