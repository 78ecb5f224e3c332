/** Whatever stands in an agent's environment reaches the agent, and means nothing to the shim. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { handOver } from "../../src/process/hand_over.ts";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import { helperEnv } from "../../src/process/helper_env.ts";
import { startShim } from "../../src/process/shim.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Windows has no POSIX shell.
const ignore = Deno.build.os === "windows";
const BASH = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"].find(exists);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What env(1) printed, but for what shells set for themselves. */
function variables(text: string): Record<string, string> {
  const entries = text.split("\0").filter((entry) => entry !== "").map((entry) => {
    const end = entry.indexOf("=");
    return [entry.slice(0, end), entry.slice(end + 1)];
  });
  return Object.fromEntries(entries.filter(([name = ""]) => !["_", "SHLVL", "OLDPWD"].includes(name)));
}

for (
  const { name, path } of [
    { name: "a PATH without anything", path: "/nowhere" },
    { name: "no PATH", path: undefined },
  ]
) {
  Deno.test({ name: `an agent with ${name} is run, and within its time`, ignore }, async () => {
    await using yard = await shimYard();
    const env: Record<string, string> = path === undefined ? {} : { PATH: path };
    const quick = yard.start('echo "${PATH-none}"; exit 3', { env, graceMs: 60_000 });
    const slow = yard.start("while :; do :; done", { env, limitMs: 300 });
    for (const { directory } of [quick, slow]) {
      await waitFor(() => readExit(directory, 1), { message: "the run to end" });
    }
    assert.deepEqual([await readExit(quick.directory, 1), await readStopReason(quick.directory)], [
      { state: "ended", exitCode: 3, oom: null },
      null,
    ]);
    if (path !== undefined) assert.equal(quick.output(), `${path}\n`);
    assert.deepEqual([await readExit(slow.directory, 1), await readStopReason(slow.directory)], [
      { state: "ended", exitCode: 130, oom: null },
      "timeout",
    ]);
  });
}

Deno.test({ name: "an agent gets its whole environment as it was given", ignore }, async () => {
  await using yard = await shimYard();
  const env = {
    PATH: Deno.env.get("PATH") ?? "",
    EMPTY: "",
    QUOTES: `it's "$HOME" \`id\` $(id) \\ end`,
    LINES: "one\n two\n\n",
    TZ: "Asia/Tokyo",
    UID: "12",
    PPID: "13",
    OPTIND: "no number",
    // The shim has variables of these names.
    dir: "d",
    run: "r",
    line: "l",
    start: "s",
    status: "t",
  };
  const run = yard.start("exec env -0", { env: { ...env, "no.name": "dropped", "BASH_FUNC_x%%": "() { :; }" } });
  await run.ended;
  const { UID: _uid, PPID: _ppid, OPTIND: _optind, ...exact } = env;
  const seen = variables(run.output());
  // Shells may insist on these.
  for (const name of ["UID", "PPID", "OPTIND"]) delete seen[name];
  if (seen.PWD !== undefined) delete seen.PWD;
  assert.deepEqual(seen, exact);
});

Deno.test({ name: "an agent's PWD is where it is, not where its server is", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  const PATH = Deno.env.get("PATH") ?? "";
  const run = startShim({
    script: yard.script,
    helpers: { PATH },
    directory,
    run: 1,
    input: "prompt.txt",
    slot: null,
    mountRoots: [],
    maxEventBytes: 2 ** 30,
    limitMs: 60_000,
    graceMs: null,
    bell: yard.bell,
    // A shell would set it right by itself.
    command: ["/usr/bin/env"],
    cwd: yard.path,
    env: { PATH, PWD: "/nowhere" },
  });
  await run.ended;
  const output = await Deno.readTextFile(join(directory, "events.jsonl"));
  assert.ok(output.includes(`PWD=${await Deno.realPath(yard.path)}\n`), output);
});

Deno.test({
  name: "nothing of an agent's environment runs in a shim whose shell is bash",
  ignore: ignore || BASH === undefined,
}, async () => {
  await using yard = await shimYard();
  await using place = await tempDirectory();
  // By this name bash is a POSIX shell, as where it is /bin/sh.
  const shell = join(place.path, "sh");
  await Deno.symlink(BASH ?? "", shell);
  const trap = join(place.path, "trap");
  await Deno.writeTextFile(trap, `echo startup file >>${place.path}/ran\n`);
  const hostile = Object.fromEntries(
    ["sleep", "kill", "printf", "look_at", "exec", "read", "flock", "cat"].map((name) => [
      `BASH_FUNC_${name}%%`,
      `() { echo ${name} >>${place.path}/ran; }`,
    ]),
  );
  const env = {
    PATH: Deno.env.get("PATH") ?? "",
    ENV: trap,
    BASH_ENV: trap,
    PS4: `$(echo PS4 >>${place.path}/ran)`,
    SHELLOPTS: "xtrace",
    UID: "12",
    ...hostile,
  };
  const script = yard.changedScript({ "/bin/sh": shell });
  const directory = yard.directory();
  const { code } = await new Deno.Command(shell, {
    args: [
      script,
      "run",
      directory,
      "1",
      "60",
      "-",
      yard.bell,
      "prompt.txt",
      "-",
      "1000000",
      "0",
      "/bin/sh",
      "-c",
      "/usr/bin/env; umask",
    ],
    clearEnv: true,
    env: { ...helperEnv({}), ...handOver(env, { umask: 0o27 }) },
    stdin: "null",
  }).output();
  assert.equal(code, 0);
  assert.deepEqual(await readExit(directory, 1), { state: "ended", exitCode: 0, oom: null });
  assert.equal(exists(join(place.path, "ran")), false);
  const output = await Deno.readTextFile(join(directory, "events.jsonl"));
  assert.ok(output.includes(`\nBASH_ENV=${trap}\n`), output);
  assert.equal(output.includes("SHIM_"), false, output);
  // The files of its own are for nobody else, those that the agent makes for whom its user likes.
  assert.ok(output.endsWith("\n0027\n"), output);
  assert.equal(((await Deno.stat(join(directory, "events.jsonl"))).mode ?? 0) & 0o777, 0o600);
});

Deno.test("handOver() drops names that no shell can export", () => {
  assert.deepEqual(
    handOver({ "a b": "1", "BASH_FUNC_x%%": "() { :; }", "1A": "2", "": "3", "B;id": "4", C: "5" }, { umask: 0o22 }),
    {
      SHIM_0: "5",
      SHIM_RESTORE: 'umask 22\nunset PATH\nexport C="$SHIM_0"\nunset SHIM_0 SHIM_RESTORE',
    },
  );
});

Deno.test("helperEnv() puts the system's commands first, and never looks into the working directory", () => {
  assert.deepEqual(helperEnv({ PATH: "/opt/bin:.::bin:/bin", HOME: "/home" }), {
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin:/opt/bin",
  });
  assert.deepEqual(helperEnv({}), { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" });
});
