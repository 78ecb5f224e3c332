import assert from "node:assert/strict";
import { join } from "node:path";
import { readAt } from "../../src/process/read_at.ts";
import { MAX_LOG_BYTES, runBound } from "../../src/process/run_bound.ts";
import { describeEnd } from "../../src/process/run_to_end.ts";
import { isAlive } from "../helpers/processes.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const env = Deno.env.toObject();

async function run(
  command: string,
  { cwd, timeoutMs = 60_000, signal = new AbortController().signal }: {
    readonly cwd: string;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  },
): ReturnType<typeof runBound> {
  return await runBound(command, { cwd, env, log: join(cwd, "log"), tailBytes: 100, timeoutMs, signal });
}

async function pidIn(path: string): Promise<number> {
  return await waitFor(async () => Number(await Deno.readTextFile(path).catch(() => "")) || null, { message: path });
}

Deno.test(
  { name: "runBound() keeps all that a command says in its order, and gives the end of it", ignore },
  async () => {
    await using directory = await tempDirectory();
    const cwd = directory.path;
    const ended = await run("seq 1 200000; echo why >&2; echo last; exit 3", { cwd });
    assert.deepEqual([ended.exitCode, describeEnd(ended)], [3, "ended with exit code 3"]);
    assert.match(ended.stdout, /199999\n200000\nwhy\nlast$/);
    assert.ok(ended.stdout.length <= 100);
    const log = await Deno.readTextFile(join(cwd, "log"));
    assert.ok(log.startsWith("$ seq 1 200000;") && log.includes("\n1\n2\n") && log.endsWith("\nwhy\nlast\n"));
    assert.deepEqual(await run("read line; echo got $?", { cwd }).then(({ exitCode }) => exitCode), 0);
    assert.equal((await run(":", { cwd: join(cwd, "absent") })).exitCode, null);
  },
);

Deno.test({ name: "runBound() keeps the end alone where a command says too much", ignore }, async () => {
  await using directory = await tempDirectory();
  const cwd = directory.path;
  const log = join(cwd, "log");
  const stop = new AbortController();
  await Deno.writeTextFile(log, "");
  const endless = run("yes", { cwd, signal: stop.signal });
  // While it still runs.
  await waitFor(async () => / bytes are left out here\]/.test(await startOf(log)), {
    message: "the log to be shortened",
  });
  stop.abort();
  assert.equal(describeEnd(await endless), "did not end in time");
  await Deno.remove(log);
  const ended = await run(`yes | head -c ${MAX_LOG_BYTES + 2}; echo last`, { cwd });
  assert.equal(ended.exitCode, 0);
  assert.match(ended.stdout, /\ny\nlast$/);
  const text = await Deno.readTextFile(log);
  assert.match(text.slice(0, 60), /^\[\d+ bytes are left out here\]\n+y\n/);
  assert.ok(text.length < MAX_LOG_BYTES && text.endsWith("\ny\nlast\n"));
});

/** As far as a command that goes on writing can get ahead of the line that says what is left out. */
async function startOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  return new TextDecoder().decode(await readAt(file, { start: 0, length: 2 ** 20 }));
}

Deno.test({ name: "runBound() waits for nothing in the background, and leaves nothing there", ignore }, async () => {
  await using directory = await tempDirectory();
  const cwd = directory.path;
  const ended = await run("sleep 1000 & echo $! >pid", { cwd });
  assert.equal(ended.exitCode, 0);
  const pid = await pidIn(join(cwd, "pid"));
  await waitFor(async () => !await isAlive(pid), { message: "what was left in the background to end" });
});

for (const what of ["its time is up", "it is stopped"]) {
  Deno.test({ name: `runBound() ends a command with all that it has started when ${what}`, ignore }, async () => {
    await using directory = await tempDirectory();
    const cwd = directory.path;
    const stop = new AbortController();
    const running = run("sh -c 'sleep 1000' & echo $! >pid; wait", {
      cwd,
      signal: stop.signal,
      ...(what === "its time is up" ? { timeoutMs: 1_000 } : {}),
    });
    const pid = await pidIn(join(cwd, "pid"));
    if (what === "it is stopped") stop.abort();
    assert.equal(describeEnd(await running), "did not end in time");
    await waitFor(async () => !await isAlive(pid), { message: "its child to end" });
  });
}

Deno.test({ name: "what runBound() has started ends with a process that is killed", ignore }, async () => {
  await using directory = await tempDirectory();
  const cwd = directory.path;
  const module = new URL("../../src/process/run_bound.ts", import.meta.url).href;
  const options = { cwd, env, log: join(cwd, "log"), tailBytes: 100, timeoutMs: 60_000 };
  const program = `import { runBound } from ${JSON.stringify(module)};
await runBound("sleep 1000 & echo $! >pid; wait", { ...${
    JSON.stringify(options)
  }, signal: new AbortController().signal });`;
  const args = ["eval", "--quiet", "--no-lock", program];
  const child = new Deno.Command(Deno.execPath(), { args }).spawn();
  const pid = await pidIn(join(cwd, "pid"));
  child.kill("SIGKILL");
  await child.status;
  await waitFor(async () => !await isAlive(pid), { message: "the command to end" });
});
