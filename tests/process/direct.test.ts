import assert from "node:assert/strict";
import { join } from "node:path";
import { directHost, type ProcessTools } from "../../src/process/direct.ts";
import { readStopReason } from "../../src/process/run_files.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

/** This system's tools, in place of those of Windows. */
const tools: ProcessTools = {
  killTree: (pid) => Promise.resolve(Deno.kill(pid, "SIGKILL")),
  isAlive: (pid) => {
    try {
      Deno.kill(pid, "SIGCONT");
      return Promise.resolve(true);
    } catch {
      return Promise.resolve(false);
    }
  },
};
const host = directHost(() => Promise.resolve(), tools);

async function start(
  directory: string,
  options: { readonly command: readonly [string, ...string[]]; readonly limitMs?: number },
): ReturnType<typeof host.start> {
  await Deno.mkdir(join(directory, "task"), { recursive: true });
  await Deno.mkdir(join(directory, "bell"), { recursive: true });
  await Deno.writeTextFile(join(directory, "task/prompt.txt"), "to do");
  return await host.start({
    directory: join(directory, "task"),
    run: 1,
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
  assert.deepEqual(await host.sight({ directory: task, run: 1 }), { state: "ended", exitCode: 3 });
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
  });
});

Deno.test("starting a program that is not there throws what the system says", async () => {
  await using place = await tempDirectory();
  await assert.rejects(start(place.path, { command: [join(place.path, "nothing")] }), /ENOENT/);
});
