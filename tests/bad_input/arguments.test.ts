import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { assertNothingStarted } from "../helpers/nothing_started.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const UUID = "01a1f744-634e-71b1-a39a-93788d7eea39";

type Row = readonly [tool: string, args: Readonly<Record<string, unknown>>, message: RegExp];

const GO = { prompt: "go" };

const ROWS: readonly Row[] = [
  [
    "codex",
    { ...GO, promt: "x" },
    /^Unknown parameter "promt" for codex: expected prompt, .*Remove it and try again\.$/,
  ],
  ["codex", {}, /^Cannot call codex: prompt: .*string.*Correct it and try again\.$/],
  ["codex", { prompt: 5 }, /prompt: .*string/],
  ["codex", { prompt: "" }, /the prompt is empty/],
  ["codex", { prompt: " \n\t" }, /the prompt is empty/],
  ["codex", { prompt: "a\0b" }, /NUL/],
  ["codex", { ...GO, cwd: "a\0b" }, /cwd.*NUL/],
  ["codex", { ...GO, config: { model_verbosity: "a\0b" } }, /NUL/],
  ["codex", { ...GO, config: { "a\0b": "c" } }, /no key/],
  ["codex", { ...GO, env: { NAME: "a\0b" } }, /NUL/],
  ["codex", { ...GO, env: { "A=B": "c" } }, /env/],
  ["codex", { ...GO, env: { "": "c" } }, /env/],
  ["codex", { ...GO, model: "a\0b" }, /NUL/],
  ["codex", { ...GO, images: ["a\0b"] }, /image/],
  ["codex", { ...GO, "add-dirs": ["a\0b"] }, /add-dirs.*NUL/],
  ["codex", { ...GO, sandbox: "everything" }, /sandbox: .*read-only.*workspace-write.*danger-full-access/],
  ["codex", { ...GO, "approval-policy": "always" }, /approval-policy: .*never/],
  ["codex", { ...GO, config: "a=b" }, /config: .*(record|object)/],
  ["codex", { ...GO, config: { "a b": 1 } }, /"a b" is no key/],
  ["codex", { ...GO, config: { model_verbosity: null } }, /model_verbosity.* is null/],
  ["codex", { ...GO, images: "a.png" }, /images: .*array/],
  ["codex", { ...GO, images: ["missing.png"] }, /Cannot attach image .*missing\.png: there is no such file/],
  ["codex", { ...GO, "add-dirs": ["missing"] }, /Cannot use add-dirs .*missing: there is no such directory/],
  ["codex", { ...GO, "output-schema": { type: 5 } }, /Cannot use output-schema/],
  ["codex", { ...GO, "mcp-servers": ["missing"] }, /Cannot keep MCP server missing: none are configured/],
  ["codex", { ...GO, timeout: -1 }, /timeout: /],
  ["codex", { ...GO, timeout: "soon" }, /timeout: .*number/],
  ["codex", { ...GO, model: "--help" }, /"--help" is no value for model/],
  ["codex", { ...GO, profile: "-p" }, /"-p" is no value for profile/],
  ["codex", { ...GO, worktree: "yes" }, /worktree: /],
  ["codex", { ...GO, worktree: { bas: "main" } }, /worktree: .*"bas"/],
  ["codex", { ...GO, worktree: { base: "no\0thing" } }, /^Cannot make a worktree of .*NUL/],
  [
    "codex",
    { ...GO, worktree: { base: "--upload-pack=x" } },
    /^Cannot use worktree: there is no commit "--upload-pack=x" in /,
  ],
  [
    "codex",
    { ...GO, worktree: { name: "../up" } },
    /Cannot use worktree: "\.\.\/up" cannot be part of a branch's name/,
  ],
  ["codex", { ...GO, worktree: { setup: "npm ci" } }, /--allow-command "npm ci"/],
  ["codex", { ...GO, worktree: true, cwd: "/" }, /^Cannot run Codex in \/: it is not inside a git repository\. /],
  ["codex_diff", { task_id: "ffffffff" }, /Cannot find task "ffffffff"/],
  ["codex_diff", { task_id: "../../etc" }, /Cannot find task/],
  ["codex_merge", {}, /task_id/],
  ["codex_merge", { task_ids: [] }, /task_ids/],
  ["codex_merge", { task_id: "ffffffff" }, /Cannot find task "ffffffff"/],
  ["codex_merge", { task_id: "ffffffff", mode: "octopus" }, /mode: .*merge.*squash.*rebase/],
  ["codex_restore", {}, /task_id: .*string/],
  ["codex_restore", { task_id: "ffffffff" }, /ffffffff/],
  ["codex_cleanup", { task_ids: ["ffffffff"] }, /ffffffff/],
  ["codex_cleanup", { dry_run: "no" }, /dry_run: /],
  ["codex", { ...GO, threadId: UUID }, new RegExp(`Cannot find thread "${UUID}" under .*sessions`)],
  ["codex_async", { ...GO, threadId: "no-uuid" }, /Cannot find thread "no-uuid".*UUIDs/],
  ["codex_reply", { ...GO }, /threadId: /],
  ["codex_reply", { ...GO, threadId: UUID }, /Cannot find thread/],
  ["codex_reply", { ...GO, threadId: "../../etc/passwd" }, /Cannot find thread/],
  ["codex-reply", { ...GO }, /threadId is missing/],
  ["codex-reply", { ...GO, conversationId: UUID }, /Cannot find thread/],
  ["codex_wait", {}, /task_ids: .*array/],
  ["codex_wait", { task_ids: "abc" }, /task_ids: .*array/],
  ["codex_wait", { task_ids: [] }, /task_ids: /],
  ["codex_wait", { task_ids: ["ffffffff"], timeout: "soon" }, /timeout: /],
  ["codex_wait", { task_ids: ["ffffffff"], until: "some" }, /until: /],
  ["codex_status", { task_ids: [1] }, /task_ids\.0: .*string/],
  ["codex_status", { task_id: "ffffffff" }, /Unknown parameter "task_id" for codex_status: expected task_ids/],
  ["codex_cancel", {}, /task_id: .*string/],
  [
    "codex_cancel",
    { task_id: "ffffffff" },
    /^Task ffffffff: Task ffffffff not found\nCannot find task "ffffffff": there are none/,
  ],
  ["codex_cancel", { task_id: "../../../etc" }, /Cannot find task/],
];

Deno.test("what cannot be done is refused by name", async (t) => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await t.step("a call with wrong arguments is refused by name, and starts nothing", async (t) => {
    for (const [tool, args, message] of ROWS) {
      await t.step(`${tool} ${JSON.stringify(args)}`, async () => {
        const { text, isError } = await swarm.call(tool, args);
        assert.match(text, message);
        assert.doesNotMatch(text, /fault of codex-swarm/);
        assert.equal(isError, true);
        assertNothingStarted(swarm, codex);
      });
    }
  });

  await t.step("a directory that cannot be worked in is refused by name", async (t) => {
    await using outside = await tempDirectory();
    const file = join(outside.path, "file");
    Deno.writeTextFileSync(file, "");
    const rows: readonly (readonly [string, RegExp])[] = [
      [join(outside.path, "missing"), /Cannot use cwd .*missing: there is no such directory/],
      [file, /Cannot use cwd .*file: it is not a directory/],
      [join(file, "below"), /Cannot use cwd .*below: there is no such directory/],
      [
        outside.path,
        /it is not inside a git repository\. Choose another cwd, run "git init" there, or .*--skip-git-repo-check/,
      ],
    ];
    for (const [cwd, message] of rows) {
      await t.step(cwd.replace(outside.path, ""), async () => {
        const { text, isError } = await swarm.call("codex", { prompt: "go", cwd });
        assert.match(text, message);
        assert.equal(isError, true);
        assertNothingStarted(swarm, codex);
      });
    }
  });

  await t.step("an unknown task is told beside the known ones, not instead of them", async () => {
    const { structured: { task_id: known } } = await swarm.call("codex", { prompt: "fake:say(done)" });
    for (const tool of ["codex_status", "codex_wait"]) {
      const { text, structured, isError } = await swarm.call(tool, { task_ids: ["ffffffff", known, "nonsense"] });
      assert.match(text, /=== Task ffffffff === TASK FFFFFFFF NOT FOUND/);
      assert.match(text, /=== Task nonsense === INVALID TASK ID: NONSENSE/);
      const tasks = structured.tasks.map((task: Record<string, unknown>) => [task["task_id"], task["status"]]);
      assert.deepEqual(Object.fromEntries(tasks), {
        ffffffff: "not_found",
        nonsense: "not_found",
        [known]: "completed",
      });
      assert.equal(isError, false);
    }
  });
});

Deno.test("--skip-git-repo-check lets an agent work outside a repository (control)", async () => {
  await using outside = await tempDirectory();
  await using swarm = await startSwarm({ args: ["--skip-git-repo-check"] });
  const { isError, structured } = await swarm.call("codex", { prompt: "fake:say(hello)", cwd: outside.path });
  assert.deepEqual({ isError, cwd: structured.cwd }, { isError: false, cwd: outside.path });
});
