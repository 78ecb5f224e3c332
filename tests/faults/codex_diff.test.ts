import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { worked } from "../helpers/worked.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({ name: "codex_diff of a huge file takes the server little memory", ignore }, async () => {
  await using swarm = await startSwarm();
  const [id = ""] = await worked(swarm, "yes 'one line like any other' | head --bytes=128M >huge; echo end >>huge");
  const { text, isError } = await swarm.call("codex_diff", { task_id: id, format: "patch" });
  assert.equal(isError, false, text);
  assert.match(text, /\n\n\[… 139,810,254 characters in all, the middle is left out; /);
  assert.ok(text.endsWith("end\n"), text.slice(-100));
  const status = await Deno.readTextFile(`/proc/${swarm.process.pid}/status`);
  const peakKib = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
  assert.ok(peakKib < 350_000, `${peakKib} KiB`);
});
