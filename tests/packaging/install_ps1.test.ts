/** `install.ps1`, on the system that it is for: what it installs, and that it leaves nothing otherwise. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveName, SUMS } from "../../.github/scripts/release_names.ts";
import { type Release, serveReleases, sumsOf } from "../helpers/release_page.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

const INSTALL_PS1 = fileURLToPath(new URL("../../.github/packaging/install.ps1", import.meta.url));
const ARCHIVE = archiveName("1.2.3", Deno.build.arch === "x86_64" ? "windows-x64" : "windows-arm64");

/** Both are in use: what Windows itself has, and the newer one. */
const SHELLS = ["powershell.exe", "pwsh.exe"] as const;

async function run(
  shell: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Deno.CommandOutput> {
  return await new Deno.Command(shell, {
    args: ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", ...args],
    env,
    stdin: "null",
  }).output();
}

/** A release of a program that says `version`, and may wait where it is not asked for it; what every Windows has compiles it. */
async function makeWindowsRelease(version: string, { isWaiting = false } = {}): Promise<Release> {
  await using directory = await tempDirectory();
  const [program, archive] = ["codex-swarm.exe", "archive.zip"].map((name) => join(directory.path, name));
  const wait = isWaiting ? "if (a.Length == 0) System.Console.In.ReadToEnd();" : "";
  const source =
    `public class P { public static void Main(string[] a) { System.Console.WriteLine("codex-swarm ${version}"); ${wait} } }`;
  const { success, stderr } = await run("powershell.exe", [
    "-Command",
    `$ErrorActionPreference = 'Stop'
     Add-Type -OutputType ConsoleApplication -OutputAssembly '${program}' -TypeDefinition '${source}'
     Compress-Archive -LiteralPath '${program}' -DestinationPath '${archive}'`,
  ]);
  assert.ok(success, new TextDecoder().decode(stderr));
  const release: Release = new Map([[ARCHIVE, await Deno.readFile(archive ?? "")]]);
  release.set(SUMS, sumsOf(release));
  return release;
}

for (const shell of SHELLS) {
  Deno.test(
    { name: `install.ps1 installs what it has verified, under ${shell}`, ignore: Deno.build.os !== "windows" },
    async () => {
      await using directory = await tempDirectory();
      const release = await makeWindowsRelease("1.2.3");
      const at = join(directory.path, "a directory");
      const install = async (...args: readonly string[]): Promise<[number, string]> => {
        const env = { CODEX_SWARM_INSTALL_BASE: page.base };
        const { code, stdout, stderr } = await run(shell, ["-File", INSTALL_PS1, "-Dir", at, ...args], env);
        return [code, [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n")];
      };
      const cut: string[] = [];
      await using page = await serveReleases({ "1.2.3": release }, { cut });

      const archive = release.get(ARCHIVE) ?? new Uint8Array();
      release.set(ARCHIVE, archive.with(archive.length - 1, 255));
      const [wrongCode, wrong] = await install();
      assert.equal(wrongCode, 1);
      assert.match(wrong.replaceAll(/\s+/g, " "), /is not what the release has/);
      release.set(ARCHIVE, archive);
      cut.push(ARCHIVE);
      assert.equal((await install())[0], 1);
      cut.pop();
      assert.equal((await install("-Version", "9.9.9"))[0], 1);
      assert.deepEqual(namesIn(directory.path), []);

      const [code, said] = await install();
      assert.equal(code, 0, said);
      assert.match(said, /Installed codex-swarm 1\.2\.3 as /);
      assert.deepEqual(namesIn(at), ["codex-swarm.exe"]);
      assert.equal((await install("-Version", "v1.2.3"))[0], 0);
      assert.deepEqual(namesIn(at), ["codex-swarm.exe"]);
      const { stdout } = await new Deno.Command(join(at, "codex-swarm.exe"), { args: ["--version"] }).output();
      assert.equal(new TextDecoder().decode(stdout).trim(), "codex-swarm 1.2.3");

      // As README has it: its text alone, and its settings from variables.
      const piped = await run(
        shell,
        ["-Command", `Get-Content -Raw -LiteralPath '${INSTALL_PS1}' | Invoke-Expression`],
        { CODEX_SWARM_INSTALL_BASE: page.base, CODEX_SWARM_INSTALL_DIR: join(directory.path, "piped") },
      );
      assert.equal(piped.code, 0, new TextDecoder().decode(piped.stderr));
      assert.deepEqual(namesIn(join(directory.path, "piped")), ["codex-swarm.exe"]);
    },
  );

  Deno.test(
    {
      name: `install.ps1 brings up to date what runs, time and again, under ${shell}`,
      ignore: Deno.build.os !== "windows",
    },
    async () => {
      await using directory = await tempDirectory();
      await using page = await serveReleases({ "1.2.3": await makeWindowsRelease("1.2.3", { isWaiting: true }) });
      const at = join(directory.path, "a directory");
      const running: Deno.ChildProcess[] = [];
      try {
        for (let times = 0; times < 3; times++) {
          const env = { CODEX_SWARM_INSTALL_BASE: page.base };
          const { code, stderr } = await run(shell, ["-File", INSTALL_PS1, "-Dir", at], env);
          assert.equal(code, 0, new TextDecoder().decode(stderr));
          // It waits for the end of its input, as a server does.
          running.push(new Deno.Command(join(at, "codex-swarm.exe"), { stdin: "piped", stdout: "null" }).spawn());
        }
      } finally {
        for (const child of running) {
          await child.stdin.close();
          await child.status;
        }
      }
    },
  );
}

Deno.test("install.ps1 asks nothing of .NET that a session of Windows PowerShell may not have", async () => {
  assert.doesNotMatch(
    (await Deno.readTextFile(INSTALL_PS1)).replaceAll(/#.*$/gm, ""),
    /RuntimeInformation|OSArchitecture/,
  );
});
