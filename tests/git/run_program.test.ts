import assert from "node:assert/strict";
import { join } from "node:path";
import { tryProgram } from "../../src/git/run_program.ts";
import { isAlive } from "../helpers/processes.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const env = { PATH: Deno.env.get("PATH") ?? "" };
const ignore = Deno.build.os === "windows";

Deno.test(
  { name: "tryProgram() ends a program with all that it has started when its time is up", ignore },
  async () => {
    await using directory = await tempDirectory();
    const cwd = directory.path;
    const script = "sleep 1000 & echo $! >pid.new; mv pid.new pid; wait";
    await assert.rejects(
      tryProgram("sh", ["-c", script], { cwd, env, input: "x", timeoutMs: 500 }),
      /^GitError: sh did not end within 0\.5 s$/,
    );
    const pid = Number(await Deno.readTextFile(join(cwd, "pid")));
    await waitFor(async () => !await isAlive(pid), { message: "its child to end" });
    // One that ends in time says all (control).
    const ended = await tryProgram("sh", ["-c", "cat; echo why >&2; exit 3"], { cwd, env, input: "x" });
    assert.deepEqual(ended, { exitCode: 3, stdout: "x", stderr: "why\n" });
  },
);
