import { createHash } from "node:crypto";
import { mcpbName } from "../../.github/packaging/mcpb.ts";
import { archiveName, TARGETS } from "../../.github/scripts/release_names.ts";

/** The sums of a release of this version, a different one for each file. */
export function exampleSums(version: string): Map<string, string> {
  const names = TARGETS.flatMap((target) => [archiveName(version, target), mcpbName(version, target)]);
  return new Map(names.map((name) => [name, createHash("sha256").update(name).digest("hex")]));
}

/** As `sha256sum` writes them. */
export function sumsText(sums: ReadonlyMap<string, string>): string {
  return [...sums].map(([name, sum]) => `${sum}  ${name}\n`).join("");
}
