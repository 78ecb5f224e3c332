/** With a task ends all that belongs to it, however it tries to get away, and nobody else. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { countLeft, keeperOf, rememberRuns } from "../../src/process/keeper.ts";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import type { StopReport } from "../../src/process/run_host.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardOptions, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

// macOS has no setsid(1).
const ignore = Deno.build.os !== "linux";
/** Nobody else's: tests run beside each other. */
const THREAD = crypto.randomUUID();
const OTHER_THREAD = crypto.randomUUID();
const PATH = Deno.env.get("PATH") ?? "";
/** All that the shim and its keeper use, but for flock(1). */
const COMMANDS = ["awk", "cat", "getconf", "grep", "head", "mv", "ps", "rm", "sed", "sleep", "tr", "wc", "xargs"];

/** Every way in which a child may get away from its agent. */
function children(yard: ShimYard): Readonly<Record<string, string>> {
  return {
    setsid: `setsid ${yard.idle("setsid")} &`,
    nohup: `nohup ${yard.idle("nohup")} >/dev/null 2>&1 &`,
    orphan: `(setsid ${yard.idle("orphan")} &)`,
    deaf: `(trap '' TERM INT HUP; exec setsid ${yard.idle("deaf")}) &`,
    // Known by its parent alone.
    unmarked: `env -i setsid ${yard.idle("unmarked")} &`,
    // Known by what Codex gives its commands alone.
    thread: `(env -i CODEX_THREAD_ID=${THREAD} setsid ${yard.idle("thread")} &)`,
    forking: `setsid /bin/sh -c 'n=0; while :; do n=$((n + 1)); ${yard.idle("forked")}$n & sleep 0.01; done' &`,
  };
}

/** An agent with all these children, which ends by the first signal. */
async function startFamily(yard: ShimYard, options: YardOptions = {}): Promise<{ run: YardRun; pids: number[] }> {
  const family = children(yard);
  const thread = `echo '{"type":"thread.started","thread_id":"${THREAD}"}'`;
  const run = yard.start(`${thread}\n${Object.values(family).join("\n")}\nexec sleep 1000`, options);
  const names = [...Object.keys(family).filter((name) => name !== "forking"), "forked1", "forked2"];
  return { run, pids: await Promise.all(names.map((name) => yard.pidOf(name))) };
}

async function survivors(yard: ShimYard): Promise<string[]> {
  const commands = (await listProcesses()).filter(({ isZombie }) => !isZombie).map(({ command }) => command);
  return commands.filter((command) => command.includes(`${yard.path}/idle`));
}

function withSimpleGrep(yard: ShimYard): { readonly PATH: string } {
  const bin = yard.pathOf(...COMMANDS.filter((command) => command !== "grep"));
  const text = `#!/bin/sh\ncase $1 in *z*) exit 2 ;; esac\nPATH='${PATH}' exec grep "$@"\n`;
  writeExecutable(join(bin, "grep"), text);
  return { PATH: bin };
}

for (
  const { name, options } of [
    { name: "a stop", options: () => ({}) },
    { name: "a stop without flock(1)", options: (yard) => ({ helpers: { PATH: yard.pathOf(...COMMANDS) } }) },
    { name: "a stop without a grep(1) that knows NUL", options: (yard) => ({ helpers: withSimpleGrep(yard) }) },
    {
      name: "a stop where only ps(1) tells of processes",
      options: (yard) => ({ script: yard.changedScript({ "/proc/": "/nowhere/" }) }),
    },
  ] satisfies readonly { name: string; options: (yard: ShimYard) => Pick<YardOptions, "helpers" | "script"> }[]
) {
  Deno.test({ name: `F14: ${name} ends all that an agent has started`, ignore }, async () => {
    await using yard = await shimYard();
    const chosen = options(yard);
    const { run, pids } = await startFamily(yard, chosen);
    const report = await yard.stop(run.directory, "cancelled", chosen);
    assert.deepEqual([report.signals, report.isGone], [["INT"], true]);
    assert.ok(report.swept >= pids.length, `${report.swept} of ${pids.length} were swept`);
    assert.deepEqual(await survivors(yard), []);
    await run.ended;
    assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 130, oom: null });
  });
}

for (
  const { name, reason, options, begin } of [
    { name: "at its time limit", reason: "timeout", options: { limitMs: 1_500 }, begin: () => undefined },
    {
      name: "when its server is gone",
      reason: "server_gone",
      options: { graceMs: 0 },
      begin: (run) => void run.release(),
    },
  ] satisfies readonly { name: string; reason: string; options: YardOptions; begin: (run: YardRun) => void }[]
) {
  Deno.test({ name: `F14: a task ends with all that it has started ${name}`, ignore }, async () => {
    await using yard = await shimYard();
    const { run } = await startFamily(yard, options);
    begin(run);
    // The shim ends when nobody is left.
    await run.ended;
    assert.deepEqual(await survivors(yard), []);
    assert.equal(await readStopReason(run.directory), reason);
  });
}

for (
  const { what, remove } of [
    { what: "notes", remove: (_, { directory }) => Deno.remove(join(directory, "process")) },
    { what: "directory", remove: (_, { directory }) => Deno.remove(directory, { recursive: true }) },
    {
      what: "directory and scripts",
      remove: async (yard, { directory }) => {
        await Deno.remove(directory, { recursive: true });
        for (const path of [yard.script, keeperOf(yard.script)]) await Deno.remove(path);
      },
    },
  ] satisfies readonly { what: string; remove: (yard: ShimYard, run: YardRun) => Promise<void> }[]
) {
  for (
    const { name, options, begin } of [
      { name: "a stop", options: {}, begin: (yard, { directory }) => yard.stop(directory, "cancelled") },
      { name: "its time limit", options: { limitMs: 1_500 }, begin: () => Promise.resolve(null) },
      {
        name: "the end of its server",
        options: { graceMs: 0 },
        begin: (_, run) => run.release().then(() => null),
      },
    ] satisfies readonly {
      name: string;
      options: YardOptions;
      begin: (yard: ShimYard, run: YardRun) => Promise<StopReport | null>;
    }[]
  ) {
    if (name === "a stop" && what === "directory and scripts") continue;
    Deno.test(
      { name: `${name} ends an agent and all it has started whose ${what} somebody has removed`, ignore },
      async () => {
        await using yard = await shimYard();
        const run = yard.start(`(setsid ${yard.idle("orphan")} &)\nexec sleep 1000`, options);
        const pids = [(await run.pids()).agent, await yard.pidOf("orphan")];
        await remove(yard, run);
        const report = await begin(yard, run);
        await run.ended;
        assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
        if (report !== null) assert.deepEqual(report, { signals: ["INT"], isGone: true, swept: 1 });
      },
    );
  }
}

Deno.test({ name: "F14: children get away from a stop that does not sweep (control)", ignore }, async () => {
  await using yard = await shimYard();
  const { run } = await startFamily(yard);
  const script = yard.changedScript({ "if sweep ||": "if : ||" });
  assert.equal((await yard.stop(run.directory, "cancelled", { script })).swept, 0);
  await run.ended;
  const left = (await survivors(yard)).map((command) => basename(command).split(" ")[1]);
  for (const name of ["setsid", "nohup", "orphan", "deaf", "unmarked", "thread"]) assert.ok(left.includes(name), name);
  // Later is not too late, but for the one of whom nothing tells any more whose it is.
  await yard.stop(run.directory, "cancelled");
  assert.deepEqual((await survivors(yard)).map((command) => basename(command)), ["idle unmarked"]);
});

/** Ends the process between an agent and the one that it has started in the background. */
async function untilOnItsOwn(daemon: number, between: number): Promise<void> {
  const parentOf = async (): Promise<number | undefined> =>
    (await listProcesses()).find(({ pid }) => pid === daemon)?.parent;
  const parent = await parentOf();
  Deno.kill(between, "SIGKILL");
  await waitFor(async () => await parentOf() !== parent, { message: "the daemon to be on its own" });
}

for (
  const { hides, start } of [
    { hides: "shows no environment", start: (yard) => `env -i setsid ${yard.idle("daemon")}` },
    { hides: "writes its title over it", start: (yard) => `perl ${yard.path}/titled` },
  ] satisfies readonly { hides: string; start: (yard: ShimYard) => string }[]
) {
  Deno.test({ name: `a stop ends a daemon that ${hides} and was seen while its parents lived`, ignore }, async () => {
    await using yard = await shimYard();
    const text = 'use POSIX; setsid(); $0 = "x" x 8000; open F, ">daemon.pid"; print F "$$\\n"; close F; sleep 1000;';
    Deno.writeTextFileSync(join(yard.path, "titled"), text);
    const run = yard.start(`(${start(yard)} & ${yard.idle("between")})\nexec sleep 1000`);
    const [daemon, between] = [await yard.pidOf("daemon"), await yard.pidOf("between")];
    try {
      await rememberRuns(yard.keeper, [run.directory]);
      await untilOnItsOwn(daemon, between);
      // The agent is the other one.
      assert.equal(await countLeft(yard.keeper, run.directory), 2);
      await yard.stop(run.directory, "cancelled");
      assert.equal(await isAlive(daemon), false);
    } finally {
      if (await isAlive(daemon)) Deno.kill(daemon, "SIGKILL");
    }
  });
}

Deno.test({ name: "a sweep spares everybody whose environment only looks like that of its task", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start(`echo '{"type":"thread.started","thread_id":"${THREAD}"}'; exec sleep 1000`);
  await run.pids();
  const id = basename(run.directory);
  const strangers: Readonly<Record<string, Record<string, string>>> = {
    longer: { CODEX_SWARM_TASK_ID: `${id}0` },
    shorter: { CODEX_SWARM_TASK_ID: id.slice(0, -1) },
    prefixed: { CODEX_SWARM_TASK_ID: `0${id}` },
    other: { OTHER_CODEX_SWARM_TASK_ID: id, TASK_ID: id },
    text: { NOTE: `see CODEX_SWARM_TASK_ID=${id}`, LINES: `a\nCODEX_SWARM_TASK_ID=${id}\nCODEX_THREAD_ID=${THREAD}` },
    pattern: { CODEX_SWARM_TASK_ID: id.replaceAll(/./g, ".") },
    thread: { CODEX_THREAD_ID: OTHER_THREAD },
    // Started by a task that works inside this one, and outlived it.
    nested: { CODEX_SWARM_TASK_ID: "another1", CODEX_THREAD_ID: THREAD },
    none: {},
  };
  const relatives: Readonly<Record<string, Record<string, string>>> = {
    task: { CODEX_SWARM_TASK_ID: id },
    both: { CODEX_THREAD_ID: OTHER_THREAD, CODEX_SWARM_TASK_ID: id },
    threadAlone: { CODEX_THREAD_ID: THREAD },
  };
  const processes = Object.entries({ ...strangers, ...relatives }).map(([name, env]) =>
    new Deno.Command("/bin/sh", {
      args: [join(yard.path, "idle"), name, `CODEX_SWARM_TASK_ID=${id}`],
      clearEnv: true,
      env,
      stdin: "null",
    }).spawn()
  );
  const pids = async (names: object): Promise<number[]> =>
    await Promise.all(Object.keys(names).map((name) => yard.pidOf(name)));
  const [spared, ended] = [await pids(strangers), await pids(relatives)];
  try {
    assert.equal((await yard.stop(run.directory, "cancelled")).swept, ended.length);
    assert.deepEqual(await Promise.all(spared.map(isAlive)), spared.map(() => true));
    assert.deepEqual(await Promise.all(ended.map(isAlive)), ended.map(() => false));
  } finally {
    for (const child of processes) if (spared.includes(child.pid)) child.kill("SIGKILL");
    await Promise.all(processes.map(({ status }) => status));
  }
});

/** A process with such an environment, and nothing else to tell whose it is; ended with its scope. */
function startStranger(yard: ShimYard, name: string, env: Readonly<Record<string, string>>): AsyncDisposable {
  const child = new Deno.Command("/bin/sh", {
    args: [join(yard.path, "idle"), name],
    clearEnv: true,
    env: { ...env },
    stdin: "null",
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // The sweep has ended it.
      }
      await child.status;
    },
  };
}

/** Before any process of these tests was started. */
const BEFORE = new Date(Date.now() - 10_000);

/** As if the file that tells when the run was over had been written at this time. */
function date(run: YardRun, { name, at }: { readonly name: "exit" | "events.jsonl"; readonly at: Date }): void {
  Deno.utimeSync(join(run.directory, name), at, at);
  if (name !== "exit") Deno.removeSync(join(run.directory, "exit"));
}

function inAnotherBoot(run: YardRun): void {
  const path = join(run.directory, "process");
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(boot, crypto.randomUUID()));
}

for (
  const { name, isSpared, prepare = (): void => {}, changes = {} } of [
    { name: "was started before the run was over", isSpared: false },
    { name: "was started since", isSpared: true, prepare: (run) => date(run, { name: "exit", at: BEFORE }) },
    {
      name: "was started since (control)",
      isSpared: false,
      prepare: (run) => date(run, { name: "exit", at: BEFORE }),
      changes: { "agent_lives || find_end || thread=-": ":" },
    },
    {
      name: "was started before the end of a run whose shim was killed",
      isSpared: false,
      prepare: (run) => date(run, { name: "events.jsonl", at: new Date() }),
    },
    {
      name: "was started after the end of a run whose shim was killed",
      isSpared: true,
      prepare: (run) => date(run, { name: "events.jsonl", at: BEFORE }),
    },
    { name: "is of another boot than the run", isSpared: true, prepare: inAnotherBoot },
    {
      name: "was started while nobody can tell whether that was before the run was over",
      isSpared: true,
      changes: { "/proc/uptime": "/nowhere/uptime" },
    },
  ] satisfies readonly {
    name: string;
    isSpared: boolean;
    prepare?: (run: YardRun) => void;
    changes?: Readonly<Record<string, string>>;
  }[]
) {
  Deno.test(
    { name: `a stop ${isSpared ? "spares" : "ends"} one whom nothing but the thread marks and who ${name}`, ignore },
    async () => {
      await using yard = await shimYard();
      const [thread, script] = [crypto.randomUUID(), yard.changedScript(changes)];
      const end = `until [ -e over ]; do sleep 0.01; done; exit 0`;
      const run = yard.start(`echo '{"type":"thread.started","thread_id":"${thread}"}'; ${end}`);
      await run.pids();
      await using _byThread = startStranger(yard, "byThread", { CODEX_THREAD_ID: thread });
      await using _byTask = startStranger(yard, "byTask", {
        CODEX_THREAD_ID: thread,
        CODEX_SWARM_TASK_ID: basename(run.directory),
      });
      const [byThread, byTask] = [await yard.pidOf("byThread"), await yard.pidOf("byTask")];
      Deno.writeTextFileSync(join(yard.path, "over"), "");
      await run.ended;
      prepare(run);
      assert.equal(await countLeft({ ...yard.keeper, script }, run.directory), isSpared ? 1 : 2);
      assert.equal((await yard.stop(run.directory, "cancelled", { script })).swept, isSpared ? 1 : 2);
      assert.deepEqual([await isAlive(byThread), await isAlive(byTask)], [isSpared, false]);
    },
  );
}

for (
  const { name, isSpared, changes } of [
    { name: "a stop spares one of the thread who was there before the task", isSpared: true, changes: {} },
    {
      name: "a stop that asks for no beginning ends one of the thread who was there before the task (control)",
      isSpared: false,
      changes: { "from=$agent_start": "" },
    },
  ]
) {
  Deno.test({ name, ignore }, async () => {
    await using yard = await shimYard();
    const thread = crypto.randomUUID();
    await using _before = startStranger(yard, "before", { CODEX_THREAD_ID: thread });
    const before = await yard.pidOf("before");
    const started = Number(Deno.readTextFileSync(`/proc/${before}/stat`).replace(/.*\) /s, "").split(" ")[19]);
    const isPast = (): boolean => Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]) * 100 > started + 1;
    await waitFor(isPast, { message: "the next clock tick" });
    const own = `(env -i CODEX_THREAD_ID=${thread} setsid ${yard.idle("own")} &)`;
    const run = yard.start(`echo '{"type":"thread.started","thread_id":"${thread}"}'; ${own}; exec sleep 1000`);
    await yard.pidOf("own");
    const script = yard.changedScript(changes);
    assert.equal((await yard.stop(run.directory, "cancelled", { script })).swept, isSpared ? 1 : 2);
    assert.equal(await isAlive(before), isSpared);
  });
}

Deno.test(
  { name: "a task of a task goes with it while it descends from it, and not when it is on its own", ignore },
  async () => {
    await using yard = await shimYard();
    const nested = (name: string): string => `env CODEX_SWARM_TASK_ID=another1 ${yard.idle(name)}`;
    const run = yard.start(
      `setsid ${nested("below")} & (setsid ${nested("apart")} & ${yard.idle("between")})\nexec sleep 1000`,
    );
    const [below, apart] = [await yard.pidOf("below"), await yard.pidOf("apart")];
    await rememberRuns(yard.keeper, [run.directory]);
    await untilOnItsOwn(apart, await yard.pidOf("between"));
    assert.equal((await yard.stop(run.directory, "cancelled")).swept, 1);
    assert.deepEqual([await isAlive(below), await isAlive(apart)], [false, true]);
  },
);

Deno.test({ name: "an agent's end is told at once, and its shim stays until the sweep is done", ignore }, async () => {
  await using yard = await shimYard();
  const script = yard.changedScript({ "if sweep ||": "until [ -e go ]; do sleep 0.02; done; if sweep ||" });
  const run = yard.start(`setsid ${yard.idle("child")} & exec sleep 1000`, { script, limitMs: 300 });
  const child = await yard.pidOf("child");
  let hasEnded = false;
  void run.ended.then(() => hasEnded = true);
  await waitFor(() => readExit(run.directory, 1), { message: "the agent's end to be noted" });
  await waitFor(() => Deno.stat(join(yard.bell, basename(run.directory))), { message: "the bell" });
  const { shim } = await run.pids();
  assert.deepEqual([hasEnded, await isAlive(shim), await isAlive(child)], [false, true, true]);
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await run.ended;
  assert.equal(await isAlive(child), false);
});

Deno.test({ name: "a process whose name holds a line feed and brackets is swept as any other", ignore }, async () => {
  await using yard = await shimYard();
  const odd = join(yard.path, "a) S 1\n(b");
  Deno.copyFileSync("/bin/sleep", odd);
  const run = yard.start(
    `'${odd}' 1000 & echo $! >odd.pid; env -i setsid '${odd}' 1000 & echo $! >bare.pid; exec sleep 1000`,
  );
  const pids = [await yard.pidOf("odd"), await yard.pidOf("bare")];
  assert.equal((await yard.stop(run.directory, "cancelled")).swept, 2);
  assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
});

Deno.test(
  { name: "a sweep that was asked for from within its task spares itself and those above it", ignore },
  async () => {
    await using yard = await shimYard();
    const directory = yard.directory();
    const keeper = yard.script.replace("/shim-", "/keeper-");
    const stop = `env -i PATH="$PATH" /bin/sh ${keeper} stop ${directory} cancelled KILL:5000 >report.new`;
    // A server that the agent has started, say; the rest of it is to go.
    const server = `setsid /bin/sh -c '${
      yard.idle("beside")
    } & echo $$ >server.pid; ${stop}; mv report.new report; exec sleep 1000'`;
    const run = yard.start(`${server} & exec ${yard.idle("agent")}`, { directory });
    await run.ended;
    const report = await waitFor(() => Deno.readTextFile(join(yard.path, "report")), { message: "the report" });
    const [end, swept, ...signals] = report.trim().split(" ");
    assert.deepEqual([end, signals], ["gone", ["KILL"]]);
    assert.ok(Number(swept) >= 1);
    assert.deepEqual(
      await Promise.all(
        [yard.pidOf("server"), yard.pidOf("beside"), yard.pidOf("agent")].map(async (pid) => isAlive(await pid)),
      ),
      [true, false, false],
    );
    Deno.kill(await yard.pidOf("server"), "SIGKILL");
  },
);

Deno.test({ name: "a sweep signals nobody who is not the process that was looked up", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start(`setsid ${yard.idle("child")} & exec sleep 1000`);
  const child = await yard.pidOf("child");
  // As if each had ended since, and another one had its number.
  const script = yard.changedScript({
    'print "member", pid, start[pid]': 'print "member", pid, start[pid] 0',
    'print "group", pid, (pid in start) ? start[pid] : "-"': 'print "group", pid, start[pid] 0',
    "max_looks=80": "max_looks=3",
  });
  assert.deepEqual(await yard.stop(run.directory, "cancelled", { script }), {
    signals: ["INT"],
    isGone: true,
    swept: 0,
  });
  assert.ok(await isAlive(child));
  // The same process is ended when it is taken for what it is (control).
  await yard.stop(run.directory, "cancelled");
  assert.equal(await isAlive(child), false);
  await run.ended;
});

Deno.test({ name: "a process group is killed as a whole, and only when it is still the same", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start(`setsid /bin/sh -c '${yard.idle("leader")} & exec ${yard.idle("second")}' & exec sleep 1000`);
  const pids = [await yard.pidOf("leader"), await yard.pidOf("second")];
  const groupsAlone = {
    'print "member", pid, start[pid]': 'print "none", pid, start[pid]',
    "max_looks=80": "max_looks=3",
  };
  const others = yard.changedScript({
    ...groupsAlone,
    'print "group", pid, (pid in start) ? start[pid] : "-"': 'print "group", pid, "-"',
  });
  await yard.stop(run.directory, "cancelled", { script: others });
  assert.deepEqual(await Promise.all(pids.map(isAlive)), [true, true]);
  await yard.stop(run.directory, "cancelled", { script: yard.changedScript(groupsAlone) });
  // Nobody waits for those that are members of nothing.
  await waitFor(async () => !(await Promise.all(pids.map(isAlive))).includes(true), {
    message: "the group to be gone",
  });
  await run.ended;
});

Deno.test({ name: "a sweep waits for a process that shows no environment yet, but not for ever", ignore }, async () => {
  await using yard = await shimYard();
  await new Deno.Command("mkfifo", { args: [join(yard.path, "gate")] }).output();
  // As a process does in the midst of execve(2): it has nothing in its environment, and no parent that is known.
  const text = `cd "\${0%/*}"; echo $$ >becoming.pid; read -r _ <gate; exec env CODEX_SWARM_TASK_ID=$1 ${
    yard.idle("become")
  }\n`;
  await Deno.writeTextFile(join(yard.path, "becoming"), text);
  const run = yard.start(`(env -i setsid /bin/sh ${yard.path}/becoming "$CODEX_SWARM_TASK_ID" &); exec sleep 1000`);
  const pid = await yard.pidOf("becoming");
  await run.pids();
  const impatient = yard.changedScript({ "max_patient_looks=10": "max_patient_looks=0" });
  assert.equal((await yard.stop(run.directory, "cancelled", { script: impatient })).swept, 0);
  assert.equal((await yard.stop(run.directory, "cancelled")).swept, 0);
  assert.ok(await isAlive(pid));
  const bin = yard.pathOf(...COMMANDS.filter((command) => command !== "grep"));
  // It becomes another program just before the second look.
  const looks = join(yard.path, "looks");
  const become = `echo >${yard.path}/gate; until [ -s ${yard.path}/become.pid ]; do sleep 0.01; done`;
  const grep = `PATH='${PATH}'\necho >>${looks}\n[ $(wc -l <${looks}) != 2 ] || { ${become}; }\nexec grep "$@"\n`;
  writeExecutable(join(bin, "grep"), `#!/bin/sh\n${grep}`);
  assert.equal((await yard.stop(run.directory, "cancelled", { helpers: { PATH: bin } })).swept, 1);
  assert.equal(await isAlive(pid), false);
  await run.ended;
});
