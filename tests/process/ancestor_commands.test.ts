import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ancestorCommands } from "../../src/process/ancestor_commands.ts";
import { runToEnd } from "../../src/process/run_to_end.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const SCRIPT = fileURLToPath(new URL("../../src/process/ancestor_commands.sh", import.meta.url));
const HAS_PROC = Deno.build.os === "linux";

/** A process below a shell below a shell, each with a mark in its arguments; one of these marks holds a newline. */
async function family(yard: ShimYard): Promise<{ readonly run: YardRun; readonly pid: number }> {
  const inner = `sh -c 'sleep 1000 & echo $!; wait; : INNER' sh "a b" "MARK\nTWO"`;
  const run = yard.start(`sh -c '${inner.replaceAll("'", `'\\''`)}; : OUTER' sh MARK=1; :`);
  await run.pids();
  const pid = await waitFor(() => {
    const text = run.output();
    return text.endsWith("\n") ? Number(text) : null;
  }, { message: "the family to be there" });
  assert.ok(await isAlive(pid));
  return { run, pid };
}

/** Looks for the family's own lines, nearest first. */
function check(lines: readonly string[], { run }: { readonly run: YardRun }): void {
  const inner = lines.findIndex((line) => line.includes("a b MARK"));
  const outer = lines.findIndex((line) => line.includes("OUTER") && line.includes("MARK=1"));
  const shim = lines.findIndex((line) => line.includes(` run ${run.directory} 1 `));
  assert.deepEqual([inner === 0, inner < outer, outer < shim], [true, true, true], [inner, outer, shim].join());
}

Deno.test({ name: "ancestorCommands() needs no ps where there is /proc", ignore: !HAS_PROC }, async () => {
  await using yard = await shimYard();
  const { run, pid } = await family(yard);
  check(await ancestorCommands(pid, { PATH: yard.pathOf("tr") }), { run });
});

Deno.test({ name: "ancestorCommands() asks ps where there is no /proc", ignore }, async () => {
  await using yard = await shimYard();
  const { run, pid } = await family(yard);
  const text = (await Deno.readTextFile(SCRIPT)).replaceAll("/proc/", "/nowhere/");
  const env = { PATH: yard.pathOf("ps") };
  const { stdout } = await runToEnd("/bin/sh", ["-c", text, "sh", String(pid)], { env, timeoutMs: 10_000 });
  check(stdout.split("\n"), { run });
});

Deno.test({ name: "ancestorCommands() gives nothing for a process that is not there", ignore }, async () => {
  assert.deepEqual(await ancestorCommands(2 ** 30, { PATH: Deno.env.get("PATH") ?? "" }), []);
});
