import assert from "node:assert/strict";
import { join } from "node:path";
import { isInThread } from "../../src/codex/thread_input.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const THREAD = "01980000-0000-7000-8000-000000000001";

function said(role: string, text: string, at: string): string {
  const payload = {
    type: "message",
    role,
    content: [{ type: "input_text", text: "<image>" }, { type: "input_text", text }],
  };
  return JSON.stringify({ timestamp: `2026-11-20T${at}Z`, type: "response_item", payload });
}

Deno.test("isInThread() knows what a user has said since the run began, and nothing else", async () => {
  await using home = await tempDirectory();
  const folder = join(home.path, "sessions", "2025", "07", "15");
  await Deno.mkdir(folder, { recursive: true });
  const lines = [
    said("user", "go on", "12:00:00.000"),
    "torn {",
    said("user", "look\nhere", "12:00:02.000"),
    said("assistant", "well done", "12:00:03.000"),
    JSON.stringify({
      timestamp: "2026-11-20T12:00:04Z",
      type: "event_msg",
      payload: { type: "user_message", message: "x" },
    }),
  ];
  await Deno.writeTextFile(join(folder, `rollout-2025-07-15T00-00-00-${THREAD}.jsonl`), `${lines.join("\n")}\n`);
  const is = (text: string, threadId = THREAD): Promise<boolean> =>
    isInThread(text, { codexHome: home.path, threadId, since: new Date("2026-11-20T12:00:01Z") });
  assert.equal(await is("look\nhere\n"), true);
  for (const text of ["go on", "well done", "x"]) assert.equal(await is(text), false, text);
  assert.equal(await is("look\nhere", THREAD.replace(/1$/, "2")), false);
});
