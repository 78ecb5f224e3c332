import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex, installQuickCodex } from "./fake_codex.ts";
import { tempDirectory } from "./temp_directory.ts";
import { tempRepo } from "./temp_repo.ts";
import { waitFor } from "./wait_for.ts";

const EXEC = ["exec", "--json", "--skip-git-repo-check"];
const UNKNOWN_ID = "01a1f744-634e-71b1-a39a-93788d7eea39";

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunCodexOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

function spawnCodex(codex: FakeCodex, args: readonly string[], options: RunCodexOptions = {}): Deno.ChildProcess {
  return new Deno.Command(codex.path, {
    args: [...args],
    cwd: options.cwd ?? codex.directory,
    env: { CODEX_HOME: codex.home, ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function runCodex(codex: FakeCodex, args: readonly string[], options: RunCodexOptions = {}): Promise<Answer> {
  const child = spawnCodex(codex, args, options);
  if (options.stdin !== undefined) await new Blob([options.stdin]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function parseLines(text: string): unknown[] {
  return text.trimEnd().split("\n").map((line): unknown => JSON.parse(line));
}

function threadIdOf(answer: Answer): string {
  return /"thread_id":"([^"]+)"/.exec(answer.stdout)?.[1] ?? "";
}

function usage(input: number, output: number): object {
  const rest = { cached_input_tokens: 0, cache_write_input_tokens: 0, reasoning_output_tokens: 0 };
  return { type: "turn.completed", usage: { input_tokens: input, output_tokens: output, ...rest } };
}

Deno.test("fake codex answers a prompt without directives", async () => {
  await using codex = await installFakeCodex();
  const answer = await runCodex(codex, [...EXEC, "-"], { stdin: "do it" });
  assert.equal(answer.code, 0);
  assert.deepEqual(parseLines(answer.stdout), [
    { type: "thread.started", thread_id: threadIdOf(answer) },
    { type: "turn.started" },
    { type: "item.completed", item: { id: "item_0", type: "agent_message", text: "fake reply to: do it" } },
    usage(100, 10),
  ]);
});

const REFUSALS: readonly { readonly args: readonly string[]; readonly code: number; readonly stderr: string }[] = [
  { args: ["exec", "--bogus", "x"], code: 2, stderr: "unexpected argument '--bogus' found" },
  { args: ["exec", "--full-auto", "x"], code: 2, stderr: "unexpected argument '--full-auto' found" },
  { args: ["exec", "-a", "never", "x"], code: 2, stderr: "unexpected argument '-a' found" },
  { args: ["exec", "one", "two"], code: 2, stderr: "unexpected argument 'two' found" },
  { args: ["exec", "--json", "--json", "x"], code: 2, stderr: "'--json' cannot be used multiple times" },
  { args: ["exec", "-s", "none", "x"], code: 2, stderr: "invalid value 'none' for '--sandbox <SANDBOX_MODE>'" },
  { args: ["exec", "-m"], code: 2, stderr: "a value is required for '--model <MODEL>'" },
  { args: ["exec", "resume", "-s", "read-only", UNKNOWN_ID, "x"], code: 2, stderr: "unexpected argument '-s'" },
  { args: ["exec", "resume", "-C", "/", UNKNOWN_ID, "x"], code: 2, stderr: "unexpected argument '-C'" },
  { args: ["exec", "resume", "--add-dir", "/", UNKNOWN_ID, "x"], code: 2, stderr: "unexpected argument '--add-dir'" },
  { args: ["exec", "resume", "-p", "x", UNKNOWN_ID, "x"], code: 2, stderr: "unexpected argument '-p'" },
  { args: ["exec", "-c", "model", "x"], code: 1, stderr: "Invalid override (missing '='): model" },
  { args: ["exec", "-C", "/missing/directory", "x"], code: 1, stderr: "Error: No such file or directory" },
  {
    args: ["exec", "x"],
    code: 1,
    stderr: "Not inside a trusted directory and --skip-git-repo-check was not specified.",
  },
  { args: [...EXEC, "-"], code: 1, stderr: "No prompt provided via stdin." },
  { args: [...EXEC, "-i", "a.png", "the prompt"], code: 1, stderr: "No prompt provided via stdin." },
  { args: [...EXEC, "-o", "/missing/file", "x"], code: 1, stderr: "Error: Failed to open last message file" },
  { args: [...EXEC, "resume", UNKNOWN_ID, "x"], code: 1, stderr: `no rollout found for thread id ${UNKNOWN_ID}` },
  { args: ["mcp-server"], code: 1, stderr: "Error: stdin is not a terminal" },
];

Deno.test("fake codex refuses what Codex refuses", async () => {
  await using codex = await installFakeCodex();
  for (const { args, code, stderr } of REFUSALS) {
    const answer = await runCodex(codex, args);
    assert.equal(answer.code, code, args.join(" "));
    assert.equal(answer.stdout, "", args.join(" "));
    assert.ok(answer.stderr.includes(stderr), `${args.join(" ")}: ${answer.stderr}`);
  }
});

Deno.test("fake codex accepts --full-auto when it is old", async () => {
  await using codex = await installFakeCodex({ version: "0.144.6" });
  const answer = await runCodex(codex, [...EXEC, "--full-auto", "fake:write(a.txt)"]);
  assert.equal(answer.code, 0);
  assert.equal((await runCodex(codex, ["--version"])).stdout, "codex-cli 0.144.6\n");
  assert.ok(answer.stdout.includes('"kind":"add"'));
  assert.ok(!answer.stdout.includes("cache_write_input_tokens"));
});

Deno.test("fake codex lists every flag that it takes in its help", async () => {
  await using codex = await installFakeCodex();
  const { EXEC_FLAGS, RESUME_FLAGS } = await import("../fixtures/fake_codex/flags.ts");
  for (const [args, flags] of [[["exec"], EXEC_FLAGS], [["exec", "resume"], RESUME_FLAGS]] as const) {
    const { stdout } = await runCodex(codex, [...args, "--help"]);
    const shown = [...stdout.matchAll(/^\s+(?:-\w, )?(--[\w-]+)/gm)].map((match) => match[1]);
    assert.deepEqual(shown.toSorted(), flags.map((flag) => flag.long).toSorted());
  }
});

Deno.test("fake codex counts usage over the whole thread", async () => {
  await using codex = await installFakeCodex();
  const first = await runCodex(codex, [...EXEC, "fake:usage(100,10)"]);
  const id = threadIdOf(first);
  const second = await runCodex(codex, [...EXEC, "resume", id, "fake:usage(30,5)"]);
  const third = await runCodex(codex, [...EXEC, "resume", "--last", "-"], { stdin: "fake:usage(7,2)" });
  assert.deepEqual([second, third].map(threadIdOf), [id, id]);
  assert.deepEqual([first, second, third].map((answer) => parseLines(answer.stdout).at(-1)), [
    usage(100, 10),
    usage(130, 15),
    usage(137, 17),
  ]);
});

Deno.test("fake codex starts a new thread for an unknown name and keeps no ephemeral one", async () => {
  await using codex = await installFakeCodex();
  const named = await runCodex(codex, [...EXEC, "resume", "no-such-name", "x"]);
  assert.equal(named.code, 0);
  const ephemeral = await runCodex(codex, [...EXEC, "--ephemeral", "x"]);
  const resumed = await runCodex(codex, [...EXEC, "resume", threadIdOf(ephemeral), "x"]);
  assert.deepEqual([resumed.code, resumed.stdout], [1, ""]);
});

Deno.test("fake codex lets only one process write to a thread", async () => {
  await using codex = await installFakeCodex();
  const id = threadIdOf(await runCodex(codex, [...EXEC, "x"]));
  const writer = spawnCodex(codex, [...EXEC, "resume", id, "fake:hold(go)"]);
  await waitFor(() => codex.ledger().length === 2, { message: "the writer to start" });
  const second = await runCodex(codex, [...EXEC, "resume", id, "x"]);
  assert.deepEqual([second.code, second.stdout], [1, ""]);
  assert.ok(second.stderr.includes(`thread ${id} already has an active writer`));
  await Deno.writeTextFile(join(codex.directory, "go"), "");
  assert.equal((await writer.output()).code, 0);
});

Deno.test("fake codex writes a ledger with the truth", async () => {
  await using codex = await installFakeCodex();
  await runCodex(codex, [...EXEC, "fake:crash(9)"]);
  const running = spawnCodex(codex, [...EXEC, "fake:ignore_term fake:say(ready) fake:offline"]);
  await waitFor(() => codex.ledger().length === 2, { message: "the second run to start" });
  running.kill("SIGKILL");
  await running.output();
  await runCodex(codex, [...EXEC, "resume", UNKNOWN_ID, "x"]);
  await runCodex(codex, ["--version"]);
  const runs = codex.ledger().map(({ args, exitCode, endedAt, threadId }) => (
    { args: args.slice(3), exitCode, hasEnded: endedAt !== null, hasThread: threadId !== null }
  ));
  assert.deepEqual(runs, [
    { args: ["fake:crash(9)"], exitCode: 9, hasEnded: true, hasThread: true },
    {
      args: ["fake:ignore_term fake:say(ready) fake:offline"],
      exitCode: null,
      hasEnded: false,
      hasThread: true,
    },
    { args: ["resume", UNKNOWN_ID, "x"], exitCode: 1, hasEnded: true, hasThread: false },
  ]);
  assert.equal(codex.ledger()[1]?.pid, running.pid);
});

Deno.test("fake codex ends on SIGINT with its command and exit code 1", async () => {
  await using codex = await installFakeCodex();
  const child = spawnCodex(codex, [...EXEC, "fake:run(echo $$ > pid; exec sleep 60)"]);
  const pid = await waitFor(async () => Number(await Deno.readTextFile(join(codex.directory, "pid"))) || null, {
    message: "the command to start",
  });
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  assert.equal(code, 1);
  assert.ok(!new TextDecoder().decode(stdout).includes("turn.completed"));
  await waitFor(async () => !await isAlive(pid), { message: `command ${pid} to end` });
});

/** A zombie is dead: in some containers nobody reaps orphans. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", String(pid)] }).output();
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout));
}

Deno.test("fake codex runs its directives in a repository and shows what it was given", async () => {
  await using codex = await installFakeCodex();
  await using repo = await tempRepo();
  const prompt = "fake:run(echo $CODEX_THREAD_ID) fake:write(a/b.txt, text) fake:echo_args";
  const args = ["exec", "--json", "-s", "workspace-write", "-C", repo.path, "-"];
  const answer = await runCodex(codex, args, { stdin: prompt, env: { FAKE_CODEX_ECHO_ENV: "SHOWN", SHOWN: "yes" } });
  assert.equal(await repo.git("status", "--short", "--untracked-files=all"), "?? a/b.txt");
  assert.ok(answer.stdout.includes(`"aggregated_output":"${threadIdOf(answer)}\\n"`));
  for (
    const part of [JSON.stringify(args), `"cwd":"${repo.path}"`, '"SHOWN":"yes"', `"stdin_bytes":${prompt.length}`]
  ) {
    assert.ok(answer.stdout.includes(JSON.stringify(part).slice(1, -1)), part);
  }
});

Deno.test("fake codex writes nothing in a read-only sandbox, its default", async () => {
  await using codex = await installFakeCodex();
  await using directory = await tempDirectory();
  const answer = await runCodex(codex, [...EXEC, "fake:write(a.txt)"], { cwd: directory.path });
  assert.equal(answer.code, 0);
  assert.ok(!answer.stdout.includes("file_change"));
  assert.deepEqual([...Deno.readDirSync(directory.path)], []);
});

Deno.test("fake codex fails as often as it is told to, then works", async () => {
  await using codex = await installFakeCodex();
  const args = [...EXEC, "fake:fail_first(2, Error: database is locked) fake:say(done)"];
  const answers = await Promise.all([runCodex(codex, args), runCodex(codex, args), runCodex(codex, args)]);
  assert.deepEqual(answers.map(({ code }) => code).toSorted(), [0, 1, 1]);
  for (const { stdout, stderr } of answers.filter(({ code }) => code === 1)) {
    assert.equal(stdout, "");
    assert.ok(stderr.includes("Error: database is locked"));
  }
});

Deno.test("fake codex replays every recording under an own thread id", async () => {
  await using codex = await installFakeCodex();
  const events = join(import.meta.dirname ?? "", "../fixtures/events");
  for (const [name, code] of [["0.128.0/tools", 0], ["0.169.0/http401", 1], ["0.169.0/hang_headers", 143]] as const) {
    const answer = await runCodex(codex, [...EXEC, `fake:replay(${name})`]);
    const recording = await Deno.readTextFile(join(events, `${name}.jsonl`));
    const recordedId = /"thread_id":"([^"]+)"/.exec(recording)?.[1] ?? "";
    assert.equal(answer.code, code, name);
    assert.notEqual(threadIdOf(answer), recordedId);
    assert.equal(answer.stdout.replaceAll(threadIdOf(answer), recordedId), recording);
  }
});

Deno.test("quick codex does what its first line says, a hundred at once", async () => {
  await using codex = await installQuickCodex();
  const failed = await runCodex(codex, ["exec", "--json", "-"], { stdin: "quick: exit=4 events=1\nmore\nlines\n" });
  assert.equal(failed.code, 4);
  assert.deepEqual(parseLines(failed.stdout).slice(1), [
    { type: "turn.started" },
    { type: "item.completed", item: { id: "item_0", type: "agent_message", text: "message 0" } },
    { type: "error", message: "quick failure" },
    { type: "turn.failed", error: { message: "quick failure" } },
  ]);
  const crowd = await Promise.all(
    Array.from({ length: 100 }, () => runCodex(codex, ["exec", "--json", "-"], { stdin: "quick: events=2\n" })),
  );
  assert.equal(new Set(crowd.map(threadIdOf)).size, 100);
  assert.deepEqual(codex.ledger().map(({ exitCode }) => exitCode), [4, ...crowd.map(() => 0)]);
  assert.deepEqual((await runCodex(codex, ["--version"])).stdout, "codex-cli 0.169.0\n");
});
