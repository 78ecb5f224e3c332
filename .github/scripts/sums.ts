/** `sums.ts DIRECTORY`: writes the sums of all files of a release beside them, as `sha256sum` does. */
import { join } from "node:path";
import { archiveName, SUMS, TARGETS, VERSION } from "./release_names.ts";

/** Writes the sums. Throws where the archive of a platform is missing. */
export async function writeSums(directory: string, version: string = VERSION): Promise<void> {
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).filter((name) => name !== SUMS).sort();
  const missing = TARGETS.map((target) => archiveName(version, target)).filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`Cannot sum up the release: ${missing.join(", ")} must be made before.`);
  const lines = await Promise.all(names.map(async (name) => `${await sha256(join(directory, name))}  ${name}\n`));
  await Deno.writeTextFile(join(directory, SUMS), lines.join(""));
}

async function sha256(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

if (import.meta.main) await writeSums(Deno.args[0] ?? ".");
