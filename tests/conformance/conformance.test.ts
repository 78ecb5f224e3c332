/** The official conformance suite against the server, and against a build of it that has the fixtures it wants. */
import assert from "node:assert/strict";
import { startHttpServer } from "../helpers/http_server.ts";
import { EXPECTED } from "./expected_failures.ts";
import { type ExpectedHere, judge, type Target } from "./judge.ts";
import { LEFT_OUT, NEED_FIXTURES, ON_THE_SERVER } from "./scenarios.ts";
import { installSuite, listScenarios, type Revision, REVISIONS, runSuite } from "./suite.ts";
import { startTestBuild } from "./test_build.ts";

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
    for (const scenario of ON_THE_SERVER[revision]) {
      await t.step(scenario, () => {
        const expected = expectedOf("the server", revision, scenario);
        assert.deepEqual(judge(scenario, { findings, expected }), []);
      });
    }

    await t.step("each of the others is found wrong without its fixtures (control)", () => {
      const isRight = (scenario: string): boolean => judge(scenario, { findings, expected: [] }).length === 0;
      assert.deepEqual(NEED_FIXTURES[revision].filter(isRight), []);
    });
  });

  Deno.test(`the test build conforms to ${revision}`, async (t) => {
    const suite = await installSuite();
    const scenarios = await listScenarios(suite, revision);
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

Deno.test("every scenario that the suite has for servers is in one list: run on the server, with fixtures, or left out", async () => {
  const suite = await installSuite();
  for (const revision of REVISIONS) {
    const listed = [...ON_THE_SERVER[revision], ...NEED_FIXTURES[revision]].toSorted();
    assert.deepEqual(listed, await listScenarios(suite, revision), revision);
  }
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
    targets.includes("the server") && !ON_THE_SERVER[revision].includes(scenario)
  );
  assert.deepEqual(unseen, []);
});
