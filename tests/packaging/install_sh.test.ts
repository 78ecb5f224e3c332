/** `install.sh` against a server that plays the release page: what it installs, and that it leaves nothing otherwise. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { archiveName, SUMS, type Target } from "../../.github/scripts/release_names.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import {
  makeRelease,
  type Release,
  type ReleasePageOptions,
  scriptProgram,
  serveReleases,
  sumsOf,
} from "../helpers/release_page.ts";
import {
  INSTALL_SH,
  type Installed,
  type InstallerOptions,
  runInstaller,
  startInstaller,
  toolDirectory,
} from "../helpers/run_installer.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";
const TARGET: Target = `${Deno.build.os === "darwin" ? "macos" : "linux"}-${
  Deno.build.arch === "x86_64" ? "x64" : "arm64"
}`;
const ARCHIVE = archiveName("1.2.3", TARGET);
/** What the script needs beside something that downloads and something that sums. */
const TOOLS = Object.fromEntries(
  ["sh", "cat", "uname", "dirname", "mkdir", "rm", "mv", "chmod", "tar", "gzip"].map((name) => [name, null]),
);

/** Where `--dir` is left out. */
const PROGRAM = ".local/bin/codex-swarm";

async function output(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  return new TextDecoder().decode(stdout);
}

// The first is everywhere; tests/checkers has a BusyBox.
for (const shell of ([["sh"], ["dash"], ["bash", "--posix"]] as const).filter(([name]) => name === "sh" || has(name))) {
  Deno.test({
    name: `install.sh installs the newest release, under ${shell.join(" ")}`,
    ignore,
    async fn(): Promise<void> {
      await using home = await tempDirectory();
      await using page = await serveReleases({
        "1.2.3": await makeRelease("1.2.3"),
        "1.2.2": await makeRelease("1.2.2"),
      });
      const { code, stdout, stderr } = await runInstaller({ home: home.path, base: page.base, shell });
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^Installed codex-swarm 1\.2\.3 as .*\/\.local\/bin\/codex-swarm$/m);
      assert.match(stdout, /is not in your PATH/);
      assert.deepEqual(contentsOf(readTree(home.path)), { [PROGRAM]: scriptProgram("1.2.3") });
      assert.equal((Deno.statSync(join(home.path, PROGRAM)).mode ?? 0) & 0o777, 0o755);
      assert.equal(await output(join(home.path, PROGRAM), "doctor"), "ran doctor\n");
      assert.deepEqual(page.asked, [
        `latest/download/${SUMS}`,
        `download/v1.2.3/${SUMS}`,
        `download/v1.2.3/${ARCHIVE}`,
      ]);
    },
  });
}

function has(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(join(directory, program)).isFile;
    } catch {
      return false;
    }
  });
}

Deno.test({ name: "install.sh puts another version over one that is there, where it is told", ignore }, async () => {
  await using home = await tempDirectory();
  await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3"), "1.2.2": await makeRelease("1.2.2") });
  const directory = join(home.path, "a directory");
  const options = { home: home.path, base: page.base };
  assert.equal((await runInstaller({ ...options, args: ["--dir", directory] })).code, 0);
  const before = Deno.statSync(join(directory, "codex-swarm")).ino;
  const { code, stdout } = await runInstaller({
    ...options,
    args: ["--version=v1.2.2", "--dir=a directory"],
    path: `${directory}:${Deno.env.get("PATH")}`,
  });
  assert.equal(code, 0);
  assert.match(stdout, /^Next: codex-swarm doctor/m);
  assert.deepEqual(contentsOf(readTree(home.path)), { "a directory/codex-swarm": scriptProgram("1.2.2") });
  // A rename, and no writing into what may just be running.
  assert.notEqual(Deno.statSync(join(directory, "codex-swarm")).ino, before);
});

Deno.test(
  { name: "install.sh reads sums however their lines end, and takes no name that leads elsewhere", ignore },
  async () => {
    await using home = await tempDirectory();
    const release = await makeRelease("1.2.3");
    const sums = new TextDecoder().decode(release.get(SUMS));
    const elsewhere = `${"0".repeat(64)}  codex-swarm-../../1.2.3-${TARGET}.tar.gz\n`;
    release.set(SUMS, text(`${elsewhere}${sums}`.replaceAll("\n", "\r\n")));
    await using page = await serveReleases({ "1.2.3": release });
    const { code, stderr } = await runInstaller({ home: home.path, base: page.base });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.deepEqual(contentsOf(readTree(home.path)), { [PROGRAM]: scriptProgram("1.2.3") });
  },
);

Deno.test({ name: "install.sh does with wget and shasum too", ignore }, async () => {
  await using home = await tempDirectory();
  await using tools = await tempDirectory();
  await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3") });
  // Stands for wget where there is none, as on macOS; tests/checkers has a real one.
  const wget =
    'while [ $# -gt 1 ]; do case $1 in -O) out=$2; shift ;; esac; shift; done; exec curl -fsSL -o "$out" "$1"';
  const curl = (await output("sh", "-c", "command -v curl")).trim();
  const path = await toolDirectory(tools.path, {
    ...TOOLS,
    wget: wget.replace("curl", curl),
    shasum: null,
    perl: null,
  });
  const { code, stderr } = await runInstaller({ home: home.path, base: page.base, path });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(contentsOf(readTree(home.path)), { [PROGRAM]: scriptProgram("1.2.3") });
});

interface Refusal {
  readonly name: string;
  /** Changes the release before it is served. */
  readonly spoil?: (release: Release) => void | Promise<void>;
  readonly page?: ReleasePageOptions;
  readonly run?: Partial<InstallerOptions>;
  /** The whole PATH, instead of this machine's. */
  readonly tools?: Readonly<Record<string, string | null>>;
  /** What is there already. */
  readonly place?: (home: string) => void;
  readonly says: RegExp;
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "an archive that is not the one that was summed",
    spoil: async (release) =>
      void release.set(ARCHIVE, (await makeRelease("1.2.3", "#!/bin/sh\n")).get(ARCHIVE) ?? text("")),
    says: /is not what the release has: its SHA-256 is [0-9a-f]{64}, expected was [0-9a-f]{64}\. Nothing was installed/,
  },
  { name: "no archive", spoil: (release) => void release.delete(ARCHIVE), says: /could not be downloaded whole/ },
  { name: "an archive that breaks off", page: { cut: [ARCHIVE] }, says: /could not be downloaded whole/ },
  { name: "no sums", spoil: (release) => void release.delete(SUMS), says: /SHA256SUMS could not be downloaded/ },
  { name: "sums that break off", page: { cut: [SUMS] }, says: /SHA256SUMS could not be downloaded/ },
  {
    name: "a sum that is none",
    spoil: (release) => void release.set(SUMS, text(`${"g".repeat(64)}  ${ARCHIVE}\n`)),
    says: /SHA256SUMS is damaged/,
  },
  {
    name: "half a sum",
    spoil: (release) => void release.set(SUMS, text(`abc  ${ARCHIVE}`)),
    says: /SHA256SUMS is damaged/,
  },
  {
    name: "a release without an archive for this machine",
    spoil: (release) => {
      release.delete(ARCHIVE);
      release.set(SUMS, sumsOf(release));
    },
    says: new RegExp(`names no archive for ${TARGET}`),
  },
  {
    name: "a version that does not exist",
    run: { args: ["--version", "9.9.9"] },
    says: /v9\.9\.9\/SHA256SUMS could not be downloaded.*Check the version/,
  },
  { name: "a version that is none", run: { args: ["--version", "../1"] }, says: /"\.\.\/1" is no version/ },
  { name: "an unknown argument", run: { args: ["--prefix", "x"] }, says: /unknown argument --prefix.*--dir DIR/ },
  { name: "an argument without its value", run: { args: ["--dir"] }, says: /--dir needs a value/ },
  {
    name: "an unknown system",
    tools: { ...TOOLS, uname: "echo Haiku", curl: null, sha256sum: "exit 1" },
    says: /no binary for Haiku\. Run it from its sources/,
  },
  {
    name: "Windows",
    tools: { ...TOOLS, uname: "echo MINGW64_NT-10.0", curl: null, sha256sum: "exit 1" },
    says: /Use install\.ps1/,
  },
  {
    name: "an unknown machine",
    tools: { ...TOOLS, uname: "case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac", curl: null, sha256sum: "exit 1" },
    says: /no binary for riscv64 machines/,
  },
  { name: "nothing to sum with", tools: { ...TOOLS, curl: null }, says: /neither sha256sum nor shasum is there/ },
  {
    name: "nothing to download with",
    tools: { ...TOOLS, sha256sum: "exit 1" },
    says: /neither curl nor wget is there/,
  },
  {
    name: "a program that does not run here",
    spoil: async (release) =>
      replace(release, await makeRelease("1.2.3", "#!/bin/sh\necho no such loader\nexit 127\n")),
    says: /is whole, but does not run here: no such loader\./,
  },
  {
    name: "a program of another version",
    spoil: async (release) => replace(release, await makeRelease("1.2.3", scriptProgram("1.2.4"))),
    says: /holds another version: codex-swarm 1\.2\.4/,
  },
  {
    name: "an archive without the program",
    spoil: (release) => {
      release.set(ARCHIVE, text("no archive"));
      release.set(SUMS, sumsOf(release));
    },
    says: /has no program in it/,
  },
  {
    name: "a directory that cannot be made",
    place: (home) => Deno.writeTextFileSync(join(home, "file"), "mine"),
    run: { args: ["--dir", "file/bin"] },
    says: /\/file cannot be written\. Choose another directory/,
  },
  {
    name: "a directory in the program's place",
    place: (home) => Deno.mkdirSync(join(home, PROGRAM), { recursive: true }),
    says: /codex-swarm is a directory/,
  },
];

function replace(release: Release, by: Release): void {
  for (const [name, bytes] of by) release.set(name, bytes);
}

for (const { name, spoil, page: pageOptions, run, tools, place, says } of REFUSALS) {
  Deno.test({ name: `install.sh refuses ${name}, and leaves all as it was`, ignore }, async () => {
    await using home = await tempDirectory();
    await using toolsAt = await tempDirectory();
    const release = await makeRelease("1.2.3");
    await spoil?.(release);
    await using page = await serveReleases({ "1.2.3": release }, pageOptions);
    // Something of the user's, and an older program where no test is about that place.
    if (place === undefined) {
      Deno.mkdirSync(join(home.path, ".local/bin"), { recursive: true });
      Deno.writeTextFileSync(join(home.path, PROGRAM), scriptProgram("1.0.0"));
    } else place(home.path);
    const before = readTree(home.path);
    const path = tools === undefined ? {} : { path: await toolDirectory(toolsAt.path, tools) };
    const refused: Installed = await runInstaller({ home: home.path, base: page.base, ...path, ...run });
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /^Cannot install codex-swarm: /m);
    assert.match(refused.stderr, says);
    assert.deepEqual(readTree(home.path), before);
  });
}

Deno.test({ name: "install.sh makes no directory for what it does not install", ignore }, async () => {
  await using home = await tempDirectory();
  await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3") }, { cut: [ARCHIVE] });
  assert.equal((await runInstaller({ home: home.path, base: page.base })).code, 1);
  assert.deepEqual([...readTree(home.path).keys()], []);
});

Deno.test({ name: "install.sh leaves nothing when it is interrupted", ignore }, async () => {
  await using home = await tempDirectory();
  const isAsked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3") }, {
    beforeAnswer: async (name) => {
      if (name !== ARCHIVE) return;
      isAsked.resolve();
      await mayAnswer.promise;
    },
  });
  const installer = startInstaller({ home: home.path, base: page.base });
  await Promise.race([isAsked.promise, installer.status]);
  assert.match([...readTree(home.path).keys()].join(), /^\.codex-swarm-install\.\d+\//);
  // As a terminal's Ctrl-C does: the download is told too.
  Deno.kill(-installer.pid, "SIGINT");
  const { success } = await installer.output();
  mayAnswer.resolve();
  assert.deepEqual([success, [...readTree(home.path).keys()]], [false, []]);
});

Deno.test({ name: "install.sh does nothing when it was itself cut off on its way", ignore }, async () => {
  await using home = await tempDirectory();
  await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3") });
  const script = await Deno.readTextFile(INSTALL_SH);
  const cuts = [
    script.indexOf("find_target\n"),
    script.indexOf("install_program() {") + 40,
    script.lastIndexOf("main "),
  ];
  for (const cut of cuts) {
    const shell = ["sh", "-c", script.slice(0, cut), "sh"] as const;
    await runInstaller({ home: home.path, base: page.base, shell });
  }
  assert.deepEqual([page.asked, [...readTree(home.path).keys()]], [[], []]);
});
