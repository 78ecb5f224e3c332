import assert from "node:assert/strict";
import { join } from "node:path";
import { readExit } from "../../src/process/run_files.ts";
import type { EndedRun } from "../../src/process/run_host.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os !== "linux";

for (
  const { name, count, end, ended } of [
    {
      name: "with one killed for lack of memory meanwhile",
      count: "7",
      end: "kill -KILL $$",
      ended: { exitCode: 137, oom: "yes" },
    },
    {
      name: "with nobody killed for lack of memory",
      count: "6",
      end: "kill -KILL $$",
      ended: { exitCode: 137, oom: "no" },
    },
    {
      name: "where nothing tells of memory",
      count: "",
      end: "kill -KILL $$",
      ended: { exitCode: 137, oom: "unknown" },
    },
    { name: "by its own code", count: "7", end: "exit 3", ended: { exitCode: 3, oom: null } },
  ] satisfies readonly { name: string; count: string; end: string; ended: Omit<EndedRun, "state"> }[]
) {
  Deno.test({ name: `F4: the end of an agent ${name} is told as such`, ignore }, async () => {
    await using yard = await shimYard();
    const counter = join(yard.path, "vmstat");
    const write = (text: string): void => Deno.writeTextFileSync(counter, `nr_free 5\noom_kill ${text}\nthp 1\n`);
    write("6");
    const script = yard.changedScript({
      '"/sys/fs/cgroup$group/memory.events" /proc/vmstat': counter,
      "first=1 ": "first=0 ",
    });
    const run = yard.start(`until [ -e go ]; do sleep 0.02; done; ${end}`, { script });
    await waitFor(() => Deno.readTextFileSync(join(run.directory, "oom")) === "1 6\n", {
      message: "the shim to count at first",
    });
    if (count === "") Deno.removeSync(counter);
    else write(count);
    Deno.writeTextFileSync(join(yard.path, "go"), "");
    await run.ended;
    assert.deepEqual(await readExit(run.directory, 1), { state: "ended", ...ended });
  });
}

Deno.test({
  name: "an agent that is killed before anybody has counted may have been killed for lack of memory",
  ignore,
}, async () => {
  await using yard = await shimYard();
  const run = yard.start("kill -KILL $$", { script: yard.changedScript({ "first=1 ": "first=60 " }) });
  await run.ended;
  assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 137, oom: "unknown" });
});

Deno.test({ name: "the system itself counts those that it has killed for lack of memory", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000", { script: yard.changedScript({ "first=1 ": "first=0 " }) });
  const text = await waitFor(async () => {
    const text = await Deno.readTextFile(join(run.directory, "oom"));
    return text.endsWith("\n") && text;
  }, { message: "the shim to count" });
  // "-" where neither the control group nor the kernel tells.
  assert.match(text, /^1 (\d+|-)\n$/);
});
