import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { nativeCandidates } from "../../src/codex/install_layout.ts";
import { codexLoginStatus, hasFlag, probeCodex, type ProbeOptions, rememberProbe } from "../../src/codex/probe.ts";
import type { Log } from "../../src/log.ts";
import { TaskError, type TaskErrorCode } from "../../src/task/errors.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { type TempDirectory, tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";
const NO_LOG: Log = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };
/** So large that it cannot be taken for a wrapper. */
const PADDING = `# ${"x".repeat(20_000)}\n`;

/** A Codex in sh that counts its calls in a file beside it. */
function script(version: string, options: { readonly padding?: string } = {}): string {
  return `#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case "$*" in
  --version) echo "codex-cli ${version}" ;;
  "exec --help") printf 'Commands:\\n  resume  Resume\\n\\nOptions:\\n  -s, --sandbox <M>\\n      --json\\n' ;;
  "exec resume --help") printf 'Options:\\n      --json\\n' ;;
  "login status") echo "Logged in using $HOW" >&2; [ "$HOW" = "an API key" ] ;;
esac
exit $?
${options.padding ?? PADDING}`;
}

async function write(path: string, text: string, mode = 0o755): Promise<string> {
  await Deno.mkdir(dirname(path), { recursive: true });
  writeExecutable(path, text);
  await Deno.chmod(path, mode);
  return path;
}

function optionsIn(temp: TempDirectory, options: Partial<ProbeOptions> = {}): ProbeOptions {
  return {
    env: { PATH: `${temp.path}/bin:/usr/bin:/bin` },
    home: join(temp.path, "home"),
    cacheFile: join(temp.path, "state/codex.json"),
    log: NO_LOG,
    ...options,
  };
}

async function refusal(promise: Promise<unknown>, code: TaskErrorCode): Promise<string> {
  const error = await promise.then(() => null, (reason: unknown) => reason);
  assert.ok(error instanceof TaskError, `${error}`);
  assert.equal(error.code, code);
  return error.message;
}

Deno.test({ name: "probeCodex() finds Codex in PATH and asks what it can do", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = await write(join(temp.path, "bin/codex"), script("0.169.0"));
  const probe = await probeCodex(optionsIn(temp));
  assert.deepEqual(probe, {
    path,
    foundIn: "PATH",
    binary: path,
    isIndirect: false,
    isNpmLauncher: false,
    version: "0.169.0",
    flags: ["--sandbox", "--json"],
    resumeFlags: ["--json"],
    hasResume: true,
  });
  assert.equal(hasFlag(probe, "--sandbox", "exec"), true);
  assert.equal(hasFlag(probe, "--sandbox", "exec resume"), false);
});

Deno.test({ name: "probeCodex() asks a file once, and again when the file has changed", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = await write(join(temp.path, "bin/codex"), script("0.169.0"));
  const calls = async (): Promise<number> =>
    (await Deno.readTextFile(join(temp.path, "bin/calls"))).trim().split("\n").length;
  const first = await probeCodex(optionsIn(temp));
  assert.deepEqual(await probeCodex(optionsIn(temp)), first);
  assert.equal(await calls(), 3);
  await write(path, script("0.170.0-alpha.1"));
  assert.equal((await probeCodex(optionsIn(temp))).version, "0.170.0-alpha.1");
  assert.equal(await calls(), 6);
});

Deno.test({ name: "probeCodex() survives a broken cache and a cache that cannot be written", ignore }, async () => {
  await using temp = await tempDirectory();
  await write(join(temp.path, "bin/codex"), script("0.169.0"));
  for (const text of ["", "{", '[{"binary":1}]', "null"]) {
    await write(join(temp.path, "state/codex.json"), text, 0o600);
    assert.equal((await probeCodex(optionsIn(temp))).version, "0.169.0");
  }
  const cacheFile = join(temp.path, "bin/codex/not_a_folder.json");
  assert.equal((await probeCodex(optionsIn(temp, { cacheFile }))).version, "0.169.0");
});

Deno.test({ name: "probeCodex() does not trust the age of a wrapper", ignore }, async () => {
  await using temp = await tempDirectory();
  const wrapper = await write(join(temp.path, "bin/codex"), script("0.169.0", { padding: "" }));
  assert.equal((await probeCodex(optionsIn(temp))).isIndirect, true);
  await assert.rejects(Deno.stat(join(temp.path, "state/codex.json")));
  assert.equal((await probeCodex(optionsIn(temp))).binary, wrapper);
});

Deno.test({ name: "probeCodex() starts the native binary behind npm's launcher", ignore }, async () => {
  await using temp = await tempDirectory();
  const packageRoot = join(temp.path, "lib/node_modules/@openai/codex");
  const launcher = await write(join(packageRoot, "bin/codex.js"), "#!/usr/bin/env node\n");
  await Deno.mkdir(join(temp.path, "bin"));
  const path = join(temp.path, "bin/codex");
  await Deno.symlink(launcher, path);
  const hoisted = nativeCandidates(packageRoot, Deno.build).find((candidate) =>
    candidate.startsWith(join(temp.path, "lib/node_modules/@openai/codex-"))
  );
  const binary = await write(hoisted ?? "", script("0.128.0"));
  const { version, isNpmLauncher, ...probe } = await probeCodex(optionsIn(temp));
  assert.deepEqual({ version, isNpmLauncher, path: probe.path, binary: probe.binary, packageRoot: probe.packageRoot }, {
    version: "0.128.0",
    isNpmLauncher: true,
    path,
    binary,
    packageRoot,
  });
});

Deno.test({ name: "probeCodex() keeps the launcher when there is no native binary", ignore }, async () => {
  await using temp = await tempDirectory();
  const launcher = join(temp.path, "lib/node_modules/@openai/codex/bin/codex.js");
  await write(launcher, script("0.169.0"));
  await Deno.mkdir(join(temp.path, "bin"));
  await Deno.symlink(launcher, join(temp.path, "bin/codex"));
  const probe = await probeCodex(optionsIn(temp));
  assert.deepEqual([probe.binary, probe.isNpmLauncher, probe.isIndirect], [join(temp.path, "bin/codex"), true, true]);
});

Deno.test({ name: "probeCodex() calls a shim by its own name", ignore }, async () => {
  await using temp = await tempDirectory();
  await write(join(temp.path, "mise"), script("0.169.0"));
  await Deno.mkdir(join(temp.path, "bin"));
  await Deno.symlink(join(temp.path, "mise"), join(temp.path, "bin/codex"));
  assert.equal((await probeCodex(optionsIn(temp))).binary, join(temp.path, "bin/codex"));
});

Deno.test({ name: "probeCodex() looks into the login shell's PATH, whatever its profile prints", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = await write(join(temp.path, "own/codex"), script("0.169.0"));
  const shell = await write(
    join(temp.path, "shell"),
    `#!/bin/sh\necho "welcome <path>/nowhere"\nPATH=${temp.path}/own:$PATH\nexec /bin/sh -c "$2"\n`,
  );
  const probe = await probeCodex(optionsIn(temp, { env: { PATH: "/usr/bin:/bin", SHELL: shell } }));
  assert.deepEqual([probe.path, probe.foundIn], [path, "the login shell's PATH"]);
});

Deno.test({ name: "probeCodex() looks into the usual folders", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = await write(join(temp.path, "home/.nvm/versions/node/v22.0.0/bin/codex"), script("0.169.0"));
  const probe = await probeCodex(optionsIn(temp));
  assert.deepEqual([probe.path, probe.foundIn], [path, "the usual folders"]);
});

Deno.test({ name: "probeCodex() names every place tried and the way out", ignore }, async () => {
  await using temp = await tempDirectory();
  const env = { PATH: join(temp.path, "a"), SHELL: join(temp.path, "no_shell") };
  const message = await refusal(probeCodex(optionsIn(temp, { env })), "codex_missing");
  assert.match(message, /^Cannot find Codex: tried .*\/a, .*\/home\/\.local\/bin.*\/opt\/homebrew\/bin/);
  assert.match(message, /npm install -g @openai\/codex/);
  assert.match(message, /--codex PATH/);
});

Deno.test({ name: "probeCodex() says what is wrong with a configured path", ignore }, async () => {
  await using temp = await tempDirectory();
  await write(join(temp.path, "bin/codex"), script("0.169.0"));
  const plain = await write(join(temp.path, "plain"), "x", 0o644);
  const missing = join(temp.path, "missing");
  assert.match(
    await refusal(probeCodex(optionsIn(temp, { configured: missing })), "codex_missing"),
    /there is no such file/,
  );
  assert.match(await refusal(probeCodex(optionsIn(temp, { configured: plain })), "codex_missing"), /not executable/);
  assert.match(await refusal(probeCodex(optionsIn(temp, { configured: "codex9" })), "codex_missing"), /codex9/);
  const named = await probeCodex(optionsIn(temp, { configured: "codex" }));
  assert.equal(named.path, join(temp.path, "bin/codex"));
  const configured = await write(join(temp.path, "elsewhere/my-codex"), script("0.169.0"));
  const { path, foundIn } = await probeCodex(optionsIn(temp, { configured }));
  assert.deepEqual({ path, foundIn }, { path: configured, foundIn: "--codex" });
});

Deno.test({ name: "probeCodex() refuses a Codex that is too old or broken", ignore }, async () => {
  await using temp = await tempDirectory();
  const path = await write(join(temp.path, "bin/codex"), script("0.40.0"));
  assert.match(
    await refusal(probeCodex(optionsIn(temp)), "codex_unsupported"),
    new RegExp(`found 0\\.40\\.0 at ${path}, 0\\.46 or newer is needed`),
  );
  await write(path, "#!/bin/sh\necho 'no such library' >&2\nexit 127\n");
  assert.match(
    await refusal(probeCodex(optionsIn(temp)), "codex_unsupported"),
    /`--version` ended with exit code 127: no such library/,
  );
  await write(path, "#!/nowhere\n");
  assert.match(await refusal(probeCodex(optionsIn(temp)), "codex_unsupported"), /could not be started/);
  await write(path, "#!/bin/sh\necho v20.11.0\n");
  assert.match(await refusal(probeCodex(optionsIn(temp)), "codex_unsupported"), /v20\.11\.0/);
});

Deno.test({ name: "codexLoginStatus() tells whether Codex is signed in", ignore }, async () => {
  await using temp = await tempDirectory();
  await write(join(temp.path, "bin/codex"), script("0.169.0"));
  const probe = await probeCodex(optionsIn(temp));
  const env = { PATH: "/usr/bin:/bin" };
  assert.deepEqual(await codexLoginStatus(probe, { ...env, HOW: "an API key" }), {
    isLoggedIn: true,
    text: "Logged in using an API key",
  });
  assert.equal((await codexLoginStatus(probe, { ...env, HOW: "nothing" })).isLoggedIn, false);
});

Deno.test(
  { name: "rememberProbe() looks once, and again when Codex was updated, moved or removed", ignore },
  async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "bin/codex");
    const probe = rememberProbe(optionsIn(temp, { configured: path }));
    await refusal(probe(), "codex_missing");
    await write(path, script("0.168.0"));
    const [first, second] = await Promise.all([probe(), probe()]);
    assert.equal(first.version, "0.168.0");
    assert.equal(second, first);
    assert.equal(await probe(), first);

    // An update in place, as npm makes it.
    await Deno.remove(path);
    await write(path, script("0.169.0"));
    const updated = await Promise.all([probe(), probe()]);
    assert.deepEqual(updated.map(({ version }) => version), ["0.169.0", "0.169.0"]);

    await Deno.remove(path);
    await refusal(probe(), "codex_missing");
    // An update beside it, as Homebrew makes it: the old binary stays.
    await write(join(temp.path, "168/codex"), script("0.168.0"));
    await write(join(temp.path, "170/codex"), script("0.170.0"));
    await Deno.symlink(join(temp.path, "168/codex"), path);
    assert.equal((await probe()).version, "0.168.0");
    await Deno.remove(path);
    await Deno.symlink(join(temp.path, "170/codex"), path);
    assert.equal((await probe()).binary, join(temp.path, "170/codex"));
    assert.equal((await probe()).version, "0.170.0");
  },
);
