import assert from "node:assert/strict";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test(
  { name: "a process whose keeper hangs can end, and the keeper goes on", ignore: Deno.build.os === "windows" },
  async () => {
    await using yard = await shimYard();
    const script = join(yard.path, "shim-hanging.sh");
    const text = `${yard.idle("keeper")}\n: >${yard.path}/done\n`;
    Deno.writeTextFileSync(join(yard.path, "keeper-hanging.sh"), text);
    const fixture = new URL("../fixtures/end_run.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--no-prompt", "--allow-all", fixture, script, yard.path],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = child.output();
    const keeper = await yard.pidOf("keeper");
    const ended = output.then(() => true);
    // It has its own time, of which it needs little.
    const isOver = waitFor(() => Promise.race([ended, Promise.resolve(false)]), { message: "the process to end" });
    try {
      await isOver;
      assert.ok(await isAlive(keeper));
    } finally {
      Deno.kill(keeper, "SIGKILL");
    }
    const { stdout } = await output;
    assert.equal(new TextDecoder().decode(stdout), '{"signals":[],"isGone":false,"swept":0}');
    await waitFor(() => Deno.stat(join(yard.path, "done")).then(() => true, () => false), {
      message: "the keeper to come to its end",
    });
  },
);
