import assert from "node:assert/strict";
import { hasSubcommand, isTooOld, parseFlags, parseVersion } from "../../src/codex/help_text.ts";

const HELP = `Run Codex non-interactively

Usage: codex exec [OPTIONS] [PROMPT]
       codex exec [OPTIONS] <COMMAND> [ARGS]

Commands:
  resume  Resume a previous session by id or pick the most recent with --last
  help    Print this message or the help of the given subcommand(s)

Options:
  -c, --config <key=value>
          Examples: - \`-c model="o3"\` - see --other

      --add-dir <DIR>
          Additional directories

      --json
  -V, --version
          Print version
`;

Deno.test("parseFlags() lists the flags and not those that sentences name", () => {
  assert.deepEqual(parseFlags(HELP), ["--config", "--add-dir", "--json", "--version"]);
});

Deno.test("hasSubcommand() looks at the list of commands only", () => {
  assert.equal(hasSubcommand(HELP, "resume"), true);
  assert.equal(hasSubcommand(HELP, "fork"), false);
  assert.equal(hasSubcommand("  Additional resume text\n", "resume"), false);
});

const versions: readonly (readonly [output: string, version: string | null])[] = [
  ["codex-cli 0.169.0\n", "0.169.0"],
  ["WARNING: x\ncodex-cli 0.46.0-alpha.3\n", "0.46.0-alpha.3"],
  ["codex 1.2.3", "1.2.3"],
  ["v20.11.0", null],
  ["", null],
];

for (const [output, version] of versions) {
  Deno.test(`parseVersion() reads ${JSON.stringify(output)}`, () => assert.equal(parseVersion(output), version));
}

for (
  const [version, expected] of [
    ["0.40.0", true],
    ["0.45.9", true],
    ["0.46.0", false],
    ["0.46.0-alpha.1", false],
    [
      "0.169.0",
      false,
    ],
    ["1.0.0", false],
    ["0.0.0", false],
  ] as const
) {
  Deno.test(`isTooOld() is ${expected} for ${version}`, () => assert.equal(isTooOld(version), expected));
}
