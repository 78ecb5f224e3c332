import assert from "node:assert/strict";
import { join } from "node:path";
import { directHost, listedProgram, type ProcessTools } from "../../src/process/direct.ts";
import { readNotedRun, readStopReason } from "../../src/process/run_files.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** This system's tools, in place of those of Windows. */
const tools: ProcessTools = {
  killTree: (pid) => Promise.resolve(Deno.kill(pid, "SIGKILL")),
  async programOf(pid): Promise<string | null> {
    const found = (await listProcesses()).find((entry) => entry.pid === pid && !entry.isZombie);
    return found?.command.split(" ")[0] ?? null;
  },
  uptime: () => Deno.osUptime(),
};
const host = directHost(() => Promise.resolve(), tools);

async function start(
  directory: string,
  options: { readonly command: readonly [string, ...string[]]; readonly limitMs?: number; readonly run?: number },
): ReturnType<typeof host.start> {
  await Deno.mkdir(join(directory, "task"), { recursive: true });
  await Deno.mkdir(join(directory, "bell"), { recursive: true });
  await Deno.writeTextFile(join(directory, "task/prompt.txt"), "to do");
  return await host.start({
    directory: join(directory, "task"),
    run: options.run ?? 1,
    input: "prompt.txt",
    slot: null,
    mountRoots: [],
    maxEventBytes: 2 ** 30,
    limitMs: options.limitMs ?? 60_000,
    graceMs: null,
    bell: join(directory, "bell"),
    command: options.command,
    cwd: directory,
    env: { PATH: Deno.env.get("PATH") ?? "" },
  });
}

/** A program that is on every system. */
const deno = (code: string): [string, ...string[]] => [Deno.execPath(), "eval", "--no-config", code];

Deno.test("a run without a shim reads its prompt, writes its files, and tells its exit code", async () => {
  await using place = await tempDirectory();
  const code =
    "const text = await new Response(Deno.stdin.readable).text(); console.log(text); console.error('oh'); Deno.exit(3)";
  const run = await start(place.path, { command: deno(code) });
  await run.ended;
  const task = join(place.path, "task");
  assert.deepEqual(await host.sight({ directory: task, run: 1 }), { state: "ended", exitCode: 3, oom: null });
  assert.equal(await Deno.readTextFile(join(task, "events.jsonl")), "to do\n");
  assert.equal(await Deno.readTextFile(join(task, "stderr.log")), "oh\n");
  assert.ok((await Deno.stat(join(place.path, "bell/task"))).isFile);
});

Deno.test("a run without a shim is stopped for the first reason", async () => {
  await using place = await tempDirectory();
  const run = await start(place.path, { command: deno("setTimeout(() => {}, 60_000)") });
  const task = join(place.path, "task");
  assert.deepEqual(await host.sight({ directory: task, run: 1 }), { state: "running", isShimLost: false });
  await host.stop({ directory: task, reason: "cancelled" });
  await host.stop({ directory: task, reason: "timeout" }).catch(() => undefined);
  await run.ended;
  assert.equal(await readStopReason(task), "cancelled");
  assert.equal((await host.sight({ directory: task, run: 1 })).state, "ended");
});

Deno.test("an interrupt without a shim ends that run only, be it running or still to come", async () => {
  await using place = await tempDirectory();
  const run = await start(place.path, { command: deno("setTimeout(() => {}, 60_000)") });
  const task = join(place.path, "task");
  assert.deepEqual(await host.interrupt({ directory: task, run: 2 }), { signals: [], isGone: true, swept: 0 });
  assert.deepEqual(await host.sight({ directory: task, run: 1 }), { state: "running", isShimLost: false });
  const later = await start(place.path, { command: deno("Deno.exit(0)"), run: 2 });
  await later.ended;
  assert.deepEqual(await host.sight({ directory: task, run: 2 }), { state: "ended", exitCode: null, oom: null });
  assert.deepEqual((await host.interrupt({ directory: task, run: 1 })).signals, ["KILL"]);
  await run.ended;
  assert.equal(await readStopReason(task), null);
});

Deno.test("a run without a shim ends at its time limit", async () => {
  await using place = await tempDirectory();
  const run = await start(place.path, { command: deno("setTimeout(() => {}, 60_000)"), limitMs: 50 });
  await run.ended;
  assert.equal(await readStopReason(join(place.path, "task")), "timeout");
});

Deno.test("a run that was stopped before it could start has no exit code, with no shim either", async () => {
  await using place = await tempDirectory();
  await Deno.mkdir(join(place.path, "task"));
  await host.stop({ directory: join(place.path, "task"), reason: "cancelled" });
  const run = await start(place.path, { command: deno("Deno.exit(0)") });
  await run.ended;
  assert.deepEqual(await host.sight({ directory: join(place.path, "task"), run: 1 }), {
    state: "ended",
    exitCode: null,
    oom: null,
  });
});

Deno.test("starting a program that is not there throws what the system says", async () => {
  await using place = await tempDirectory();
  await assert.rejects(start(place.path, { command: [join(place.path, "nothing")] }), /ENOENT/);
});

for (
  const { name, host: later } of [
    { name: "of another boot", host: directHost(() => Promise.resolve(), { ...tools, uptime: () => 1 }) },
    {
      name: "of another program",
      host: directHost(() => Promise.resolve(), { ...tools, programOf: () => Promise.resolve("notepad.exe") }),
    },
  ]
) {
  Deno.test(`without a shim a process ${name} is a stranger, and spared`, async () => {
    await using place = await tempDirectory();
    const run = await start(place.path, { command: deno("setTimeout(() => {}, 60_000)") });
    const directory = join(place.path, "task");
    const noted = await readNotedRun(directory);
    assert.equal(noted?.agent.mark, "deno");
    assert.deepEqual(await later.sight({ directory, run: 1 }), { state: "lost" });
    await later.stop({ directory, reason: "cancelled" });
    assert.ok(await isAlive(noted?.agent.pid ?? 0));
    await host.stop({ directory, reason: "timeout" });
    await run.ended;
    assert.equal(await readStopReason(directory), "cancelled");
  });
}

Deno.test("a run without a shim ends as any other when its exit cannot be written", async () => {
  await using place = await tempDirectory();
  const directory = join(place.path, "task");
  // A directory in the place of the file fails as a full disk does.
  await Deno.mkdir(join(directory, "exit"), { recursive: true });
  const run = await start(place.path, { command: deno("Deno.exit(3)") });
  await run.ended;
  assert.deepEqual(await host.sight({ directory, run: 1 }), { state: "lost" });
  assert.ok((await Deno.stat(join(place.path, "bell/task"))).isFile);
});

Deno.test("a run without a shim whose process cannot be noted is not left running", async () => {
  await using place = await tempDirectory();
  const directory = join(place.path, "task");
  await Deno.mkdir(join(directory, "process"), { recursive: true });
  const mark = `hold_${crypto.randomUUID()}`;
  await assert.rejects(start(place.path, { command: deno(`/* ${mark} */ setTimeout(() => {}, 60_000)`) }));
  await waitFor(
    async () => (await listProcesses()).every(({ command, isZombie }) => isZombie || !command.includes(mark)),
    { message: "the agent to be gone" },
  );
});

Deno.test("a run without a shim may have more time than a timer can count", async () => {
  await using place = await tempDirectory();
  const run = await start(place.path, {
    command: deno("await new Promise((resolve) => setTimeout(resolve, 300)); Deno.exit(3)"),
    limitMs: 30 * 24 * 3_600_000,
  });
  await run.ended;
  const directory = join(place.path, "task");
  assert.deepEqual(await host.sight({ directory, run: 1 }), { state: "ended", exitCode: 3, oom: null });
  assert.equal(await readStopReason(directory), null);
});

Deno.test("listedProgram() finds a process in the list of Windows", () => {
  const list = '\r\n"Codex Agent.exe","1234","Console","1","50,000 K"\r\n';
  assert.equal(listedProgram(list, 1234), "Codex Agent.exe");
  assert.equal(listedProgram(list, 123), null);
  assert.equal(listedProgram("INFO: No tasks are running which match the specified criteria.\r\n", 1234), null);
});
