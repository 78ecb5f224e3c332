import assert from "node:assert/strict";
import { join } from "node:path";
import { ColdStart } from "../../src/supervisor/cold_start.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const NEVER = new AbortController().signal;

Deno.test("ColdStart lets the first run on a fresh home start alone", async () => {
  await using home = await tempDirectory();
  const coldStart = new ColdStart(home.path);
  const first = await coldStart.enter(NEVER);
  const entered: string[] = [];
  // Codex makes its databases long before it is ready.
  await Deno.writeTextFile(join(home.path, "state_5.sqlite"), "");
  const second = coldStart.enter(NEVER).then((turn) => {
    entered.push("second");
    return turn;
  });
  await assert.rejects(waitFor(() => entered.length > 0, { timeoutMs: 50, message: "a second start" }));
  await coldStart.untilStarted(home.path, { hasStarted: () => Promise.resolve(true), ended: Promise.resolve() });
  entered.push("first started");
  first[Symbol.dispose]();
  assert.deepEqual([first.isCold, (await second).isCold, entered], [true, false, ["first started", "second"]]);
  assert.equal((await coldStart.enter(NEVER)).isCold, false);
});

Deno.test("ColdStart tries again alone when the first run did not come to start", async () => {
  await using home = await tempDirectory();
  const coldStart = new ColdStart(home.path);
  const first = await coldStart.enter(NEVER);
  const second = coldStart.enter(NEVER);
  await coldStart.untilStarted(home.path, { hasStarted: () => Promise.resolve(false), ended: Promise.resolve() });
  first[Symbol.dispose]();
  assert.equal((await second).isCold, true);
});

Deno.test("ColdStart holds nobody up on a home that Codex has used", async () => {
  await using home = await tempDirectory();
  await Deno.mkdir(join(home.path, "sessions"));
  const coldStart = new ColdStart(home.path);
  const turns = await Promise.all([coldStart.enter(NEVER), coldStart.enter(NEVER)]);
  assert.deepEqual(turns.map(({ isCold }) => isCold), [false, false]);
});

Deno.test("ColdStart lets go of a task that is stopped while another starts alone", async () => {
  await using home = await tempDirectory();
  const coldStart = new ColdStart(home.path);
  const first = await coldStart.enter(NEVER);
  const stopped = new AbortController();
  const second = coldStart.enter(stopped.signal);
  stopped.abort(new Error("stopped"));
  await assert.rejects(second, /stopped/);
  first[Symbol.dispose]();
  assert.equal((await coldStart.enter(NEVER)).isCold, true);
});
