import { archiveName, downloadUrl, REPOSITORY, SUMS, type Target } from "../scripts/release_names.ts";
import { DESCRIPTION } from "./about.ts";
import { sumOf } from "./read_sums.ts";

/** Scoop's name of a machine, and ours. */
const ARCHITECTURES: readonly (readonly [string, Target])[] = [["64bit", "windows-x64"], ["arm64", "windows-arm64"]];

/** What Scoop puts in place of a newer version. */
const VERSION = "$version";

/** Gives the manifest of a version, which Scoop can bring up to later ones by itself. Throws where a sum is missing. */
export function scoopManifest(version: string, sums: ReadonlyMap<string, string>): Record<string, unknown> {
  const perArchitecture = (of: (target: Target) => Record<string, string>): Record<string, Record<string, string>> =>
    Object.fromEntries(ARCHITECTURES.map(([name, target]) => [name, of(target)]));
  const url = (of: string, target: Target): string => downloadUrl(of, archiveName(of, target));
  return {
    version,
    description: DESCRIPTION,
    homepage: REPOSITORY,
    license: "MIT",
    notes: [
      "Codex itself is not part of this: npm install -g @openai/codex@latest, then codex login.",
      "Put the server into a client with: codex-swarm install CLIENT",
    ],
    architecture: perArchitecture((target) => ({
      url: url(version, target),
      hash: sumOf(sums, archiveName(version, target)),
    })),
    bin: "codex-swarm.exe",
    checkver: { github: REPOSITORY },
    autoupdate: {
      architecture: perArchitecture((target) => ({ url: url(VERSION, target) })),
      hash: { url: `$baseurl/${SUMS}` },
    },
  };
}
