import type { Check, Findings, Revision } from "./suite.ts";

export type Target = "the server" | "the test build";

/** Something that the suite finds every time. */
export interface Expected {
  readonly targets: readonly Target[];
  readonly revision: Revision;
  readonly scenario: string;
  readonly check: string;
  readonly status: "FAILURE" | "WARNING" | "SKIPPED";
  /** Why that is right. */
  readonly why: string;
}

/** What one scenario finds every time. */
export type ExpectedHere = Pick<Expected, "check" | "status">;

/** One line for everything about a scenario that is not as it should be. */
export function judge(
  scenario: string,
  { findings, expected }: { readonly findings: Findings; readonly expected: readonly ExpectedHere[] },
): string[] {
  const checks = findings.get(scenario);
  if (checks === undefined) return ["it did not run"];
  const unexpected = checks.filter((check) => !isFine(check) && !isExpected(check, expected));
  const stale = expected.filter((one) => !checks.some((check) => isExpected(check, [one])));
  const saysNothing = expected.length === 0 && !checks.some(({ status }) => status === "SUCCESS");
  return [
    ...unexpected.map(({ id, status, errorMessage = "no reason given" }) => `${status} ${id}: ${errorMessage}`),
    ...stale.map(({ check, status }) => `${status} ${check} is expected and was not found`),
    ...(saysNothing ? ["it has found nothing right"] : []),
  ];
}

function isFine({ status }: Check): boolean {
  return status === "SUCCESS" || status === "INFO";
}

function isExpected({ id, status }: Check, expected: readonly ExpectedHere[]): boolean {
  return expected.some((one) => one.check === id && one.status === status);
}
