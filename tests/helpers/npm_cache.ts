/** Installs npm packages once per working copy, for tests that run somebody else's programs. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Ignored by git. */
export const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));

/**
 * Installs the packages, as `name@version`, unless an earlier run did; needs `npm` then. Returns their `node_modules`.
 * Processes that install at the same time do not disturb each other. `name` changes with the versions.
 */
export async function installPackages(name: string, packages: readonly string[]): Promise<string> {
  const directory = join(CACHE, name);
  if (!exists(directory)) await install(directory, packages);
  return join(directory, "node_modules");
}

async function install(directory: string, packages: readonly string[]): Promise<void> {
  Deno.mkdirSync(CACHE, { recursive: true });
  const aside = Deno.makeTempDirSync({ dir: CACHE, prefix: "installing-" });
  try {
    const args = ["install", "--prefix", aside, "--no-audit", "--no-fund", "--ignore-scripts", ...packages];
    const program = Deno.build.os === "windows" ? "npm.cmd" : "npm";
    const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    if (!success) throw new Error(`Cannot install ${packages}: ${new TextDecoder().decode(stderr).trim()}`);
    moveUnlessThere(aside, directory);
  } finally {
    if (exists(aside)) Deno.removeSync(aside, { recursive: true });
  }
}

/** A directory with content is never replaced by a rename, so the first of two installers wins and both go on with its result. */
function moveUnlessThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    if (!exists(to)) throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
