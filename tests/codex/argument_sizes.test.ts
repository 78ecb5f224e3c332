import assert from "node:assert/strict";
import { checkArgumentSizes } from "../../src/codex/argument_sizes.ts";
import { TaskError } from "../../src/task/errors.ts";

const WAY_OUT = "Shorten it, or put the text into the prompt or a file, which have no such limit.";

function refusal(input: Parameters<typeof checkArgumentSizes>[0], os: typeof Deno.build.os): string | null {
  try {
    checkArgumentSizes(input, os);
    return null;
  } catch (error) {
    assert.ok(error instanceof TaskError);
    assert.equal(error.code, "invalid_argument");
    return error.message;
  }
}

/** A `key=value` of so many bytes. */
function setting(key: string, size: number): string {
  return `${key}=${"é".repeat((size - key.length - 1) >> 1)}${(size - key.length) % 2 === 0 ? "x" : ""}`;
}

for (
  const [flag, key, parameter] of [
    ["-c", "developer_instructions", "developer-instructions"],
    ["-c", "compact_prompt", "compact-prompt"],
    ["-c", "tools.x", "config.tools.x"],
    ["-m", "", "model"],
  ] as const
) {
  Deno.test(`checkArgumentSizes() refuses a ${parameter} that no argument can hold`, () => {
    const refuse = (size: number): string | null =>
      refusal({ args: ["exec", flag, setting(key, size), "-"], env: {} }, "linux");
    assert.equal(refuse(131_071), null);
    assert.equal(
      refuse(131_072),
      `Cannot pass ${parameter}: it takes 131072 bytes of Codex's command line, where at most 131071 are possible. ${WAY_OUT}`,
    );
  });
}

Deno.test("checkArgumentSizes() refuses a variable that no environment can hold", () => {
  // The shell is handed it under a name that may be longer than its own.
  assert.equal(refusal({ args: [], env: { A: "x".repeat(131_060) } }, "linux"), null);
  assert.match(refusal({ args: [], env: { A: "x".repeat(131_061) } }, "linux") ?? "", /^Cannot pass env\.A: it takes/);
});

Deno.test("checkArgumentSizes() refuses more variables than can be given their names back", () => {
  const variables = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, "1"]));
  assert.equal(refusal({ args: [], env: variables(4_000) }, "linux"), null);
  assert.match(
    refusal({ args: [], env: variables(20_000) }, "linux") ?? "",
    /^Cannot pass env: .* these are 20000 variables, whose names take \d+ bytes, .*\. Give fewer, or put them into a file/,
  );
  assert.equal(refusal({ args: [], env: variables(20_000) }, "windows"), null);
});

Deno.test("checkArgumentSizes() refuses too much in all and names the largest part", () => {
  const args = Array.from({ length: 9 }, (_, index) => ["-c", setting(`k${index}`, 100_000 + index)]).flat();
  assert.equal(refusal({ args, env: {} }, "darwin"), null);
  assert.equal(
    refusal({ args, env: { A: "x".repeat(99_990) } }, "darwin"),
    "Cannot pass config.k8: with all others it takes 1001177 bytes of Codex's command line, where at most 983040 are " +
      `possible. ${WAY_OUT}`,
  );
});

Deno.test("checkArgumentSizes() counts the characters of the whole command line on Windows", () => {
  const refuse = (text: string): string | null =>
    refusal({ args: ["exec", "-c", `compact_prompt=${text}`], env: {} }, "windows");
  assert.equal(refuse("x".repeat(32_700)), null);
  assert.match(refuse("x".repeat(32_750)) ?? "", /^Cannot pass compact-prompt: .* 3\d+ characters .* at most 32766 /);
  // Quotes and the backslashes before them are written twice.
  assert.equal(refuse(`${"\\\\".repeat(16_000)}x`), null);
  assert.match(refuse('\\"'.repeat(9_000)) ?? "", /^Cannot pass compact-prompt: /);
});
