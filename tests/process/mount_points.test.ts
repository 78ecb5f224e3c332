/** What a sandbox leaves in a workspace when it is ended: empty directories, on which it had mounted something. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { interruptThroughShim } from "../../src/process/shim.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os !== "linux";
const canMount = !ignore &&
  (await new Deno.Command("unshare", { args: ["-Urm", "true"] }).output().catch(() => ({ success: false }))).success;

/** A path that needs to be written otherwise where mounts are listed. */
function workspace(yard: ShimYard): string {
  const path = join(yard.path, "a b\\c\tdé");
  Deno.mkdirSync(path);
  return path;
}

/** Starts an agent that makes these directories in the workspace, as its sandbox would, and then waits. */
async function start(
  yard: ShimYard,
  { root, made, text = "exec sleep 1000" }: { root: string; made: readonly string[]; text?: string },
): Promise<YardRun> {
  const run = yard.start(`cd '${root}'; ${made.map((name) => `mkdir ${name}`).join("; ")}; echo made; ${text}`, {
    mountRoots: [root],
  });
  await waitFor(() => run.output() === "made\n", { message: "the agent to make them" });
  return run;
}

function names(directory: string): string[] {
  return Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
}

for (
  const { name, end } of [
    { name: "a stop", end: (yard: ShimYard, run: YardRun) => yard.stop(run.directory, "cancelled") },
    {
      name: "an interrupt",
      end: (yard: ShimYard, { directory }: YardRun) => interruptThroughShim({ ...yard.keeper, directory, run: 1 }),
    },
  ]
) {
  Deno.test({ name: `${name} removes what is new and empty, and nothing else`, ignore }, async () => {
    await using yard = await shimYard();
    const root = workspace(yard);
    // Was there before.
    Deno.mkdirSync(join(root, ".git"));
    const run = await start(yard, { root, made: [".codex", ".agents", ".aws", ".other", ".aws/used"] });
    assert.deepEqual(names(root), [".agents", ".aws", ".codex", ".git", ".other"]);
    await end(yard, run);
    assert.deepEqual(names(root), [".aws", ".git", ".other"]);
    await run.ended;
  });
}

Deno.test({ name: "a task that is stopped by its shim leaves no mount points either", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const run = yard.start("mkdir */.codex; exec sleep 1000", { mountRoots: [root], limitMs: 300 });
  await run.ended;
  assert.deepEqual(names(root), []);
});

Deno.test(
  { name: "a workspace whose name is two lines is left alone, and so is what has half of its name", ignore },
  async () => {
    await using yard = await shimYard();
    const half = join(yard.path, "half");
    const root = `${half}\n${yard.path}/other`;
    for (const path of [half, root]) Deno.mkdirSync(path, { recursive: true });
    const run = yard.start(`mkdir '${root}/.codex'; echo made; exec sleep 1000`, { mountRoots: [root] });
    await waitFor(() => run.output() === "made\n", { message: "the agent to make it" });
    await yard.stop(run.directory, "cancelled");
    assert.deepEqual([names(half), names(root)], [[], [".codex"]]);
    await run.ended;
  },
);

Deno.test({ name: "a link to an empty directory is not taken for a mount point", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const run = await start(yard, { root, made: [".other"], text: "ln -s .other .codex; exec sleep 1000" });
  await waitFor(() => names(root).includes(".codex"), { message: "the link" });
  await yard.stop(run.directory, "cancelled");
  assert.deepEqual(names(root), [".codex", ".other"]);
  await run.ended;
});

Deno.test({ name: "a run that ends by itself keeps what it made", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const run = await start(yard, { root, made: [".codex"], text: "exit 0" });
  await run.ended;
  assert.deepEqual(names(root), [".codex"]);
});

Deno.test({ name: "a mount point stays as long as another run works in the same place", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const first = await start(yard, { root, made: [".codex"] });
  // To this one it looks as if it had always been there.
  const second = await start(yard, { root, made: [".aws"] });
  await yard.stop(first.directory, "cancelled");
  assert.deepEqual(names(root), [".aws", ".codex"]);
  await yard.stop(second.directory, "cancelled");
  await second.ended;
  assert.deepEqual(names(root), []);
  await first.ended;
});

Deno.test({ name: "what another run made that has ended meanwhile goes with the last one", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const first = await start(yard, { root, made: [".codex"], text: "until [ -e ../go ]; do sleep 0.02; done" });
  const second = await start(yard, { root, made: [".aws"] });
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await first.ended;
  await yard.stop(second.directory, "cancelled");
  assert.deepEqual(names(root), []);
  await second.ended;
});

Deno.test(
  { name: "what is mounted anywhere stays, and goes at the end of a later run", ignore: !canMount },
  async () => {
    await using yard = await shimYard();
    const root = workspace(yard);
    const run = await start(yard, { root, made: [".codex", ".aws"] });
    // Somebody else's sandbox, who knows nothing of us.
    const other = new Deno.Command("unshare", {
      args: ["-Urm", "/bin/sh", "-c", `mount -t tmpfs none '${root}/.codex' && exec ${yard.idle("other")}`],
    }).spawn();
    const pid = await yard.pidOf("other");
    await yard.stop(run.directory, "cancelled");
    assert.deepEqual(names(root), [".codex"]);
    await run.ended;
    await yard.start("exit 0").ended;
    assert.deepEqual(names(root), [".codex"]);
    Deno.kill(pid, "SIGKILL");
    await other.status;
    assert.equal(await isAlive(pid), false);
    await yard.start("exit 0").ended;
    assert.deepEqual(names(root), []);
    await yard.start("exit 0").ended;
    assert.deepEqual(names(yard.bell).filter((name) => name.startsWith("mounts")), []);
  },
);

Deno.test(
  { name: "what is mounted somewhere would go, were it not looked for (control)", ignore: !canMount },
  async () => {
    await using yard = await shimYard();
    const root = workspace(yard);
    const run = await start(yard, { root, made: [".codex"] });
    const other = new Deno.Command("unshare", {
      args: ["-Urm", "/bin/sh", "-c", `mount -t tmpfs none '${root}/.codex' && exec ${yard.idle("other")}`],
    }).spawn();
    const pid = await yard.pidOf("other");
    await yard.stop(run.directory, "cancelled", { script: yard.changedScript({ "grep -qsF -e": "false" }) });
    assert.deepEqual(names(root), []);
    await run.ended;
    Deno.kill(pid, "SIGKILL");
    await other.status;
  },
);

Deno.test({ name: "a list of mount points whose tidier was killed is not lost", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  const path = join(root, ".codex");
  Deno.mkdirSync(path);
  // No process has this number.
  const left = join(yard.bell, "mounts.999999999");
  Deno.writeTextFileSync(left, `${path}\n`);
  await yard.start("exit 0").ended;
  assert.deepEqual(names(root), []);
  assert.deepEqual(names(yard.bell).filter((name) => name.startsWith("mounts")), []);
});

Deno.test({ name: "a list of mount points that somebody is at is left to them", ignore }, async () => {
  await using yard = await shimYard();
  const root = workspace(yard);
  Deno.mkdirSync(join(root, ".codex"));
  Deno.writeTextFileSync(join(yard.bell, `mounts.${Deno.pid}`), `${join(root, ".codex")}\n`);
  await yard.start("exit 0").ended;
  assert.deepEqual(names(root), [".codex"]);
  assert.ok(names(yard.bell).includes(`mounts.${Deno.pid}`));
});
