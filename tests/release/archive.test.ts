import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { archive } from "../../.github/scripts/archive.ts";
import { programPath } from "../../.github/scripts/compile.ts";
import { mcpbName } from "../../.github/packaging/mcpb.ts";
import { archiveName, TARGETS } from "../../.github/scripts/release_names.ts";
import { writeSums } from "../../.github/scripts/sums.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

/** Releases are packed on Linux. */
const ignore = Deno.build.os !== "linux";

async function output(cwd: string, ...[program = "", ...args]: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd, env: { TZ: "UTC" }, stdin: "null" })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Puts a program for each platform where the compiler leaves them. */
async function placePrograms(dist: string): Promise<void> {
  for (const target of TARGETS) {
    await Deno.mkdir(dirname(programPath(dist, target)), { recursive: true });
    await Deno.writeTextFile(programPath(dist, target), `program for ${target}\n`);
  }
}

Deno.test(
  { name: "archive() packs program, licence and README for every platform, the same bytes each time", ignore },
  async () => {
    await using temp = await tempDirectory();
    const [dist, first, second] = ["dist", "first", "second"].map((name) => join(temp.path, name));
    assert.ok(dist !== undefined && first !== undefined && second !== undefined);
    await placePrograms(dist);
    await archive({ dist, output: first, version: "1.2.3" });
    const names = TARGETS.map((target) => archiveName("1.2.3", target)).sort();
    assert.deepEqual(namesIn(first), names);

    for (const target of TARGETS) {
      const place = join(temp.path, target);
      await Deno.mkdir(place);
      const path = join(first, archiveName("1.2.3", target));
      if (path.endsWith(".zip")) await output(place, "unzip", "-q", path);
      else await output(place, "tar", "-xzf", path);
      const program = target.startsWith("windows") ? "codex-swarm.exe" : "codex-swarm";
      assert.deepEqual(namesIn(place), ["LICENSE", "README.md", program]);
      assert.equal(await Deno.readTextFile(join(place, program)), `program for ${target}\n`);
      const { mode, mtime } = await Deno.stat(join(place, program));
      assert.deepEqual([mode, mtime?.toISOString()], [0o100755, "1980-01-01T00:00:00.000Z"]);
    }

    // Later, of files that are newer.
    await placePrograms(dist);
    await archive({ dist, output: second, version: "1.2.3" });
    for (const name of names) {
      assert.deepEqual(await Deno.readFile(join(second, name)), await Deno.readFile(join(first, name)), name);
    }
  },
);

Deno.test({
  name: "a release has the sums of all that is in it, and an archive for each platform or no sums at all",
  ignore,
}, async () => {
  await using temp = await tempDirectory();
  const dist = join(temp.path, "dist");
  const release = join(temp.path, "release");
  await placePrograms(dist);
  await archive({ dist, output: release, version: "1.2.3" });
  const installers = ["install.sh", "install.ps1"];
  const bundles = TARGETS.map((target) => mcpbName("1.2.3", target));
  for (const name of [...bundles, ...installers.slice(1)]) await Deno.writeTextFile(join(release, name), `${name}\n`);
  await assert.rejects(
    writeSums(release, "1.2.3"),
    /^Error: Cannot sum up the release: install\.sh must be made before\.$/,
  );
  await Deno.writeTextFile(join(release, "install.sh"), "install\n");
  // The sums themselves have none.
  for (let times = 0; times < 2; times++) await writeSums(release, "1.2.3");
  const checked = await output(release, "sha256sum", "--check", "--strict", "SHA256SUMS");
  const names = [...TARGETS.map((target) => archiveName("1.2.3", target)), ...bundles, ...installers].sort();
  assert.deepEqual(checked.trimEnd().split("\n"), names.map((name) => `${name}: OK`));
  // One bit of a program is another sum.
  await Deno.writeTextFile(programPath(dist, "macos-arm64"), "program for macos-arm65\n");
  await archive({ dist, output: release, version: "1.2.3" });
  await assert.rejects(output(release, "sha256sum", "--check", "--quiet", "SHA256SUMS"), /did NOT match/);

  await assert.rejects(writeSums(release, "1.2.4"), /^Error: Cannot sum up the release: codex-swarm-1\.2\.4-linux-x64/);
  await Deno.remove(programPath(dist, "windows-arm64"));
  await assert.rejects(archive({ dist, output: release, version: "1.2.4" }), Deno.errors.NotFound);
  await assert.rejects(writeSums(release, "1.2.4"), /, codex-swarm-1\.2\.4-windows-arm64\.zip, /);
});
