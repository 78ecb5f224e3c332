import assert from "node:assert/strict";
import { stderrMessage } from "../../src/codex/stderr_message.ts";

const NOISE = [
  'WARNING: proceeding, even though we could not create PATH aliases: Refusing to create helper binaries (codex_home: "/h")',
  "Reading additional input from stdin...",
  "2026-11-20T06:37:15.667458Z ERROR codex_api::endpoint::responses_websocket: failed to connect",
].join("\n");

const table: readonly { readonly name: string; readonly stderr: string; readonly message: string }[] = [
  { name: "nothing", stderr: "", message: "" },
  { name: "only noise", stderr: NOISE, message: "" },
  {
    name: "an error with a backtrace",
    stderr:
      `${NOISE}\nError: thread/resume failed: no rollout found (code -32600)\n\nStack backtrace:\n   0: <unknown>\n   1: std::rt\n             at /rustc/lib.rs:5\n`,
    message: "thread/resume failed: no rollout found (code -32600)",
  },
  {
    name: "an error of two lines",
    stderr: `${NOISE}\nError loading config.toml: invalid type: integer \`42\`\nin \`model\`\n\n`,
    message: "Error loading config.toml: invalid type: integer `42`\nin `model`",
  },
  {
    name: "a refused flag",
    stderr:
      `${NOISE}\nerror: unexpected argument '--bogus' found\n\n  tip: to pass it\n\nUsage: codex exec [OPTIONS] [PROMPT]\n       codex exec [OPTIONS] <COMMAND> [ARGS]\n\nFor more information, try '--help'.\n`,
    message: "error: unexpected argument '--bogus' found\n  tip: to pass it",
  },
  {
    name: "the last of several errors",
    stderr: "Error: first\nError: second\n",
    message: "second",
  },
  {
    name: "a plain sentence",
    stderr: `${NOISE}\nNot inside a trusted directory and --skip-git-repo-check was not specified.\n`,
    message: "Not inside a trusted directory and --skip-git-repo-check was not specified.",
  },
  {
    name: "a panic",
    stderr:
      "thread 'main' (12) panicked at library/std/src/io/stdio.rs:1165:9:\nfailed printing to stdout: Broken pipe (os error 32)\nnote: run with `RUST_BACKTRACE=1` environment variable\n",
    message:
      "thread 'main' (12) panicked at library/std/src/io/stdio.rs:1165:9:\nfailed printing to stdout: Broken pipe (os error 32)",
  },
  { name: "colours", stderr: "\u001b[1m\u001b[31mError: \u001b[0mred\n", message: "red" },
  { name: "CRLF", stderr: "Error: a\r\n", message: "a" },
];

for (const { name, stderr, message } of table) {
  Deno.test(`stderrMessage() reads ${name}`, () => assert.equal(stderrMessage(stderr), message));
}

Deno.test("stderrMessage() stays short", () => {
  assert.ok(stderrMessage(`Error: ${"x".repeat(100_000)}`).length <= 1_001);
});
