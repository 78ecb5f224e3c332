/**
 * `archive.ts`: packs what `deno task compile --all` has left in `dist/` into `dist/release/`, an archive for each
 * platform. The same programs make the same archives. Needs GNU tar, gzip and zip.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DIST, programPath } from "./compile.ts";
import { archiveName, PLATFORMS, type Target, TARGETS, VERSION } from "./release_names.ts";

const PAPERS = ["LICENSE", "README.md"].map((name) => fileURLToPath(new URL(`../../${name}`, import.meta.url)));

export interface ArchiveOptions {
  /** Where the programs are, each in the directory of its target. */
  readonly dist: string;
  /** Where the archives go. */
  readonly output: string;
  /** Default deno.json's. */
  readonly version?: string;
}

/** Writes the archives. Throws where a program is missing. */
export async function archive({ dist, output, version = VERSION }: ArchiveOptions): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  for (const target of TARGETS) {
    await pack(programPath(dist, target), { target, path: join(output, archiveName(version, target)) });
  }
}

async function pack(
  program: string,
  { target, path }: { readonly target: Target; readonly path: string },
): Promise<void> {
  const { program: name, archive } = PLATFORMS[target];
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_archive_" });
  try {
    await Deno.copyFile(program, join(directory, name));
    for (const paper of PAPERS) await Deno.copyFile(paper, join(directory, paper.slice(paper.lastIndexOf("/") + 1)));
    const names = [name, "LICENSE", "README.md"];
    for (const file of names) {
      await Deno.chmod(join(directory, file), file === name ? 0o755 : 0o644);
      // The first time that a zip can name.
      await Deno.utime(join(directory, file), new Date("1980-01-01T00:00:00Z"), new Date("1980-01-01T00:00:00Z"));
    }
    await Deno.remove(path).catch(() => {});
    if (archive === "zip") {
      await run("zip", ["-q", "-9", "-X", path, ...names], directory);
    } else {
      const owner = ["--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
      await run("tar", [...owner, "--use-compress-program=gzip -9 -n", "-cf", path, ...names], directory);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    // A zip names local time.
    env: { TZ: "UTC" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

if (import.meta.main) await archive({ dist: DIST, output: join(DIST, "release") });
