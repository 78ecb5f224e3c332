import assert from "node:assert/strict";
import { describeEnd, runToEnd } from "../../src/process/run_to_end.ts";

const ignore = Deno.build.os === "windows";
const env = { PATH: "/usr/bin:/bin" };

Deno.test({ name: "runToEnd() gives both outputs and the exit code", ignore }, async () => {
  const result = await runToEnd("/bin/sh", ["-c", "echo out; echo err >&2; exit 3"], { env, timeoutMs: 10_000 });
  assert.deepEqual(result, { exitCode: 3, stdout: "out\n", stderr: "err\n", isTimeout: false });
  assert.equal(describeEnd(result), "ended with exit code 3");
});

Deno.test({ name: "runToEnd() passes exactly the environment that it was given", ignore }, async () => {
  const result = await runToEnd("/usr/bin/env", [], { env: { ONLY: "this" }, timeoutMs: 10_000 });
  assert.equal(result.stdout, "ONLY=this\n");
});

Deno.test({ name: "runToEnd() ends a command and what it started in the background", ignore }, async () => {
  const result = await runToEnd("/bin/sh", ["-c", "sleep 60 & echo $!; wait"], { env, timeoutMs: 200 });
  assert.equal(result.isTimeout, true);
  assert.equal(describeEnd(result), "did not end in time");
});

Deno.test(
  { name: "runToEnd() does not wait longer for a background command that holds the pipe", ignore },
  async () => {
    const start = performance.now();
    const result = await runToEnd("/bin/sh", ["-c", "sleep 60 & echo done"], { env, timeoutMs: 300 });
    assert.deepEqual(result, { exitCode: 0, stdout: "done\n", stderr: "", isTimeout: false });
    assert.ok(performance.now() - start < 10_000);
  },
);

Deno.test({ name: "runToEnd() keeps a bounded part of endless output", ignore }, async () => {
  const result = await runToEnd("/bin/sh", ["-c", "head -c 3000000 /dev/zero"], { env, timeoutMs: 10_000 });
  assert.equal(result.exitCode, 0);
  assert.ok(result.stdout.length < 1_000_000);
});

Deno.test("runToEnd() tells that a program could not be started", async () => {
  const result = await runToEnd("/nowhere/program", [], { env, timeoutMs: 1_000 });
  assert.equal(result.exitCode, null);
  assert.equal(describeEnd(result), "could not be started");
});
