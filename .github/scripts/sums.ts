/** `sums.ts DIRECTORY`: writes the sums of all files of a release beside them, as `sha256sum` does. */
import { join } from "node:path";
import { mcpbName } from "../packaging/mcpb.ts";
import { archiveName, SUMS, TARGETS, VERSION } from "./release_names.ts";

/** What README has users download by one name. */
const INSTALLERS = ["install.sh", "install.ps1"];

/** Writes the sums. Throws where something of the release is missing. */
export async function writeSums(directory: string, version: string = VERSION): Promise<void> {
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).filter((name) => name !== SUMS).sort();
  const wanted = TARGETS.flatMap((target) => [archiveName(version, target), mcpbName(version, target)]);
  const missing = [...wanted, ...INSTALLERS].filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`Cannot sum up the release: ${missing.join(", ")} must be made before.`);
  const lines = await Promise.all(names.map(async (name) => `${await sha256(join(directory, name))}  ${name}\n`));
  await Deno.writeTextFile(join(directory, SUMS), lines.join(""));
}

async function sha256(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

if (import.meta.main) await writeSums(Deno.args[0] ?? ".");
