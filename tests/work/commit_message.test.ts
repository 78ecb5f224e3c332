import assert from "node:assert/strict";
import { turnMessage } from "../../src/work/commit_message.ts";

const TASK = { taskId: "0123abcd", threadId: "t-1", label: undefined, prompt: "Do it", lastMessage: null };

Deno.test("turnMessage() takes its subject from what the agent said last, and leads back to the task", () => {
  const trailers = "\n\nCodex-Task: 0123abcd\nCodex-Thread: t-1\n";
  const subjects: readonly (readonly [string, string])[] = [
    ["Added the parser's tests.\n\nMore about it.", "Added the parser's tests."],
    ["\n```\n---\n## **Fixed** the `build`\n", "Fixed the build"],
    ["1. First\n2. Second", "First"],
    ["- [x] done", "[x] done"],
    [`${"word ".repeat(30)}`, `${"word ".repeat(14).trimEnd()}…`],
    ["x".repeat(100), `${"x".repeat(71)}…`],
    ["```\n***\n", "Do it"],
    ["", "Do it"],
  ];
  for (const [lastMessage, subject] of subjects) {
    assert.equal(turnMessage({ ...TASK, lastMessage }), subject + trailers);
  }
  assert.equal(turnMessage({ ...TASK, label: "labelled" }), `labelled${trailers}`);
  assert.equal(turnMessage({ ...TASK, prompt: "\n", threadId: null }), "Codex task 0123abcd\n\nCodex-Task: 0123abcd\n");
});
