/** The official conformance suite against the server, and against a build of it that has the fixtures it wants. */
import assert from "node:assert/strict";
import { startHttpServer } from "../helpers/http_server.ts";
import { EXPECTED } from "./expected_failures.ts";
import { type ExpectedHere, judge, type Target } from "./judge.ts";
import { installSuite, listScenarios, type Revision, REVISIONS, runSuite } from "./suite.ts";
import { startTestBuild } from "./test_build.ts";

/** Scenarios that can be right without fixtures. */
const FIXTURE_FREE: Readonly<Record<Revision, readonly string[]>> = {
  "2025-11-25": [
    "dns-rebinding-protection",
    "ping",
    "prompts-list",
    "resources-list",
    "server-initialize",
    "server-session-lifecycle",
    "server-sse-multiple-streams",
    "server-sse-polling",
    "tools-list",
  ],
  "2026-07-28": [
    "caching",
    "dns-rebinding-protection",
    "http-header-validation",
    "input-required-result-unsupported-methods",
    "input-required-result-validate-input",
    "prompts-list",
    "resources-list",
    "sep-2164-resource-not-found",
    "server-sse-multiple-streams",
    "server-stateless",
    "tools-list",
  ],
};

/** How many scenarios a revision has for servers. */
const SCENARIOS: Readonly<Record<Revision, number>> = { "2025-11-25": 33, "2026-07-28": 50 };

/** Of an extension that the server does not have: Skills. */
const LEFT_OUT = ["sep-2640-skills-directory", "sep-2640-skills-enumeration", "sep-2640-skills-manifest"];

function expectedOf(target: Target, revision: Revision, scenario: string): ExpectedHere[] {
  return EXPECTED.filter((one) =>
    one.targets.includes(target) && one.revision === revision && one.scenario === scenario
  );
}

for (const revision of REVISIONS) {
  Deno.test(`the server conforms to ${revision}`, async (t) => {
    const suite = await installSuite();
    await using server = await startHttpServer({ args: ["--no-token"] });
    const findings = await runSuite(suite, { url: server.url, revision });
    for (const scenario of FIXTURE_FREE[revision]) {
      await t.step(scenario, () => {
        const expected = expectedOf("the server", revision, scenario);
        assert.deepEqual(judge(scenario, { findings, expected }), []);
      });
    }

    await t.step("each of the others is found wrong without its fixtures (control)", async () => {
      const others = (await listScenarios(suite, revision)).filter((name) => !FIXTURE_FREE[revision].includes(name));
      assert.deepEqual(others.filter((scenario) => judge(scenario, { findings, expected: [] }).length === 0), []);
    });
  });

  Deno.test(`the test build conforms to ${revision}`, async (t) => {
    const suite = await installSuite();
    const scenarios = await listScenarios(suite, revision);
    assert.equal(scenarios.length, SCENARIOS[revision]);
    await using build = await startTestBuild();
    const findings = await runSuite(suite, { url: build.url, revision });
    for (const scenario of scenarios) {
      await t.step(scenario, () => {
        const expected = expectedOf("the test build", revision, scenario);
        assert.deepEqual(judge(scenario, { findings, expected }), []);
      });
    }
  });
}

Deno.test("every scenario that the suite has for servers is run, or left out by name", async () => {
  const suite = await installSuite();
  const run = await Promise.all(REVISIONS.map((revision) => listScenarios(suite, revision)));
  assert.deepEqual([...new Set([...run.flat(), ...LEFT_OUT])].toSorted(), await listScenarios(suite));
});

Deno.test("every failure that is expected belongs to a scenario that is run", async () => {
  const suite = await installSuite();
  for (const revision of REVISIONS) {
    const scenarios = await listScenarios(suite, revision);
    const unknown = EXPECTED.filter((one) => one.revision === revision && !scenarios.includes(one.scenario));
    assert.deepEqual(unknown, []);
  }
  const unseen = EXPECTED.filter(({ targets, revision, scenario }) =>
    targets.includes("the server") && !FIXTURE_FREE[revision].includes(scenario)
  );
  assert.deepEqual(unseen, []);
});
