/**
 * `packaging.ts --version V --sums SHA256SUMS --out DIR`: writes what package managers and registries want of a release
 * that has these sums, and nothing if any is missing.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitCodeOf } from "./exit_code.ts";
import { homebrewFormula } from "../packaging/homebrew.ts";
import { readSums } from "../packaging/read_sums.ts";
import { registryEntry } from "../packaging/registry.ts";
import { scoopManifest } from "../packaging/scoop.ts";

/** Gives the content of each file by its name. Throws where the sums are not those of a release of this version. */
export function packagingFiles(version: string, sums: string): Readonly<Record<string, string>> {
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) {
    throw new Error(`Cannot package version ${JSON.stringify(version)}: expected one such as 1.2.3, without a v.`);
  }
  const read = readSums(sums);
  return {
    "codex-swarm.rb": homebrewFormula(version, read),
    "codex-swarm.json": json(scoopManifest(version, read)),
    "server.json": json(registryEntry(version, read)),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function main(): Promise<void> {
  const { values: { version, sums, out } } = parseArgs({
    args: Deno.args,
    options: { version: { type: "string" }, sums: { type: "string" }, out: { type: "string" } },
  });
  if (version === undefined || sums === undefined || out === undefined) {
    throw new Error("Expected --version VERSION --sums SHA256SUMS --out DIR.");
  }
  const files = packagingFiles(version, await Deno.readTextFile(sums));
  await Deno.mkdir(out, { recursive: true });
  for (const [name, content] of Object.entries(files)) await Deno.writeTextFile(join(out, name), content);
}

if (import.meta.main) Deno.exit(await exitCodeOf(main));
