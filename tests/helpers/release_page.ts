/** A release with a program that is a shell script, and a server on the loopback that plays its page. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { archiveName, SUMS, TARGETS } from "../../.github/scripts/release_names.ts";
import { tempDirectory } from "./temp_directory.ts";

/** The files of a release by their names. */
export type Release = Map<string, Uint8Array<ArrayBuffer>>;

const encoder = new TextEncoder();

/** The lines of `sha256sum`. */
export function sumsOf(release: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const lines = [...release].filter(([name]) => name !== SUMS)
    .map(([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
  return encoder.encode(lines.join(""));
}

/** A program that tells its version, and what else it is asked. */
export function scriptProgram(version: string): string {
  return `#!/bin/sh\nif [ "$1" = --version ]; then echo "codex-swarm ${version}"; else echo "ran $*"; fi\n`;
}

/** Makes the archives of Linux and macOS, all with the same program, and their sums. Needs `tar`. */
export async function makeRelease(
  version: string,
  program: string | Uint8Array = scriptProgram(version),
): Promise<Release> {
  await using directory = await tempDirectory();
  const bytes = typeof program === "string" ? encoder.encode(program) : program;
  await Deno.writeFile(join(directory.path, "codex-swarm"), bytes, { mode: 0o755 });
  for (const name of ["LICENSE", "README.md"]) await Deno.writeTextFile(join(directory.path, name), `${name}\n`);
  const archive = join(directory.path, "archive.tar.gz");
  const args = ["-czf", archive, "-C", directory.path, "codex-swarm", "LICENSE", "README.md"];
  const { success, stderr } = await new Deno.Command("tar", { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot make an archive: ${new TextDecoder().decode(stderr)}`);
  const packed = await Deno.readFile(archive);
  const release: Release = new Map(
    TARGETS.filter((target) => !target.startsWith("windows")).map((target) => [archiveName(version, target), packed]),
  );
  release.set(SUMS, sumsOf(release));
  return release;
}

export interface ReleasePage extends AsyncDisposable {
  /** What stands for `https://github.com/OWNER/NAME/releases`. */
  readonly base: string;
  /** The paths that were asked for, below the base. */
  readonly asked: string[];
}

export interface ReleasePageOptions {
  /** Names of files whose connection breaks in their middle. */
  readonly cut?: readonly string[];
  /** Called when a file is asked for, which waits for it. */
  readonly beforeAnswer?: (name: string) => Promise<void>;
}

/** Serves releases by their versions, the first being the newest, as GitHub does. */
export async function serveReleases(
  releases: Readonly<Record<string, Release>>,
  { cut = [], beforeAnswer }: ReleasePageOptions = {},
): Promise<ReleasePage> {
  const asked: string[] = [];
  const [newest] = Object.keys(releases);
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path.replace("/releases/", ""));
    const [, version, name = ""] = /^\/releases\/download\/v([^/]+)\/([^/]+)$/.exec(path) ?? [];
    const [, latest] = /^\/releases\/latest\/download\/([^/]+)$/.exec(path) ?? [];
    const bytes = releases[version ?? ""]?.get(name);
    if (latest !== undefined) {
      response.writeHead(302, { location: `/releases/download/v${newest}/${latest}` }).end();
    } else if (bytes === undefined) response.writeHead(404).end();
    else {
      response.writeHead(200, { "content-length": bytes.length, "connection": "close" });
      if (cut.includes(name)) response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      else void Promise.resolve(beforeAnswer?.(name)).then(() => response.end(bytes));
    }
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot tell on which port the server listens");
  return {
    base: `http://127.0.0.1:${address.port}/releases`,
    asked,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
