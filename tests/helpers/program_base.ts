/** The compiled program: the one that is named, or one that is made of these sources. */
import { join } from "node:path";
import { compile } from "../../.github/scripts/compile.ts";
import { CACHE } from "./npm_cache.ts";

/** What a program is compiled with. */
export interface Base {
  /** Variables for {@linkcode compile}. */
  readonly env: Readonly<Record<string, string>>;
  /** Ways out of `WAYS` that it leaves open without permission for the network. */
  readonly open: readonly string[];
  /** For people: which base it is, and what it is good for. */
  readonly words: string;
}

/** A file of the npm registry, of which a single bit must not have changed. */
interface Pinned {
  readonly name: string;
  readonly version: string;
  /** SHA-512 in base64, as npm gives it. */
  readonly integrity: string;
  /** What is wanted of it. */
  readonly file: string;
}

/**
 * The newest Deno of which a base was found in npm, within a program that somebody has compiled, and the compiler of the same
 * version. Both for x86-64 Linux.
 */
const NPM_VERSION = "2.7.11";
const NPM_COMPILER: Pinned = {
  name: "@deno/linux-x64-glibc",
  version: NPM_VERSION,
  integrity: "TCRXqy4rHI+pKmWfjIz/qfDyfTz61qhxj+03kEJ3r0YzRGsXNoHyE7WiUawwUK2hbrBAu7hn3m5833VUYqRzOg==",
  file: "package/deno",
};
const NPM_BASE: Pinned = {
  name: "@stdy/cli-linux-x64",
  version: "0.22.2",
  integrity: "kp5QdG26EC8gEzVXI0YgzmiiFHz7DFCNRLNfAWa2rDPHr/jUBnfkP8AlbTPmv0YNQpnKn1wzSWHFw88fn/OTog==",
  file: "package/bin/steady",
};

/**
 * Finds a base to compile with: `DENORT_BIN`, or Deno's own download, or where that cannot be reached one from npm, for
 * tests alone. Throws where there is none of them.
 */
export async function findBase(): Promise<Base> {
  const given = Deno.env.get("DENORT_BIN") ?? "";
  if (given !== "") return { env: {}, open: [], words: `${given}, named by DENORT_BIN` };
  const reason = await tryDownload();
  if (reason === null) return { env: {}, open: [], words: `Deno's own, of ${Deno.version.deno}` };
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") throw new Error(reason);
  const [compiler, base] = [await fetchPinned(NPM_COMPILER), await fetchPinned(NPM_BASE)];
  return {
    env: { DENO_COMPILE: compiler, DENORT_BIN: base },
    // Later versions want permission for the network.
    open: ["unix", "node_unix"],
    words:
      `of ${NPM_VERSION}, from npm (${NPM_BASE.name}@${NPM_BASE.version}), since ${Deno.version.deno}'s own cannot ` +
      "be downloaded here: for tests alone, never for a release",
  };
}

/** Compiles next to nothing; says why that cannot be done, or `null`. */
async function tryDownload(): Promise<string | null> {
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_base_" });
  try {
    const bundle = join(directory, "nothing.js");
    await Deno.writeTextFile(bundle, "");
    await compile({ bundle, output: join(directory, "nothing") });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Gives the path of the file, which is downloaded once per working copy. Throws when it is not the one that is pinned. */
export async function fetchPinned({ name, version, integrity, file }: Pinned, cache: string = CACHE): Promise<string> {
  const directory = join(cache, `base-${name.replaceAll("/", "+")}-${version}`);
  const path = join(directory, file);
  if (await isFile(path)) return path;
  await Deno.mkdir(cache, { recursive: true });
  const aside = await Deno.makeTempDir({ dir: cache, prefix: "fetching-" });
  try {
    const archive = (await output("npm", ["pack", "--silent", `${name}@${version}`], aside)).trim();
    const found = await sha512(join(aside, archive));
    if (found !== integrity) {
      throw new Error(`Cannot use ${name}@${version}: its integrity is ${found}, not ${integrity}`);
    }
    await output("tar", ["-xzf", archive, file], aside);
    await Deno.chmod(join(aside, file), 0o755);
    // Another run may have been as quick.
    await Deno.rename(aside, directory).catch(async (error) => {
      if (!await isFile(path)) throw error;
    });
    return path;
  } finally {
    await Deno.remove(aside, { recursive: true }).catch(() => {});
  }
}

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run ${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

async function sha512(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-512", await Deno.readFile(path))).toBase64();
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}
