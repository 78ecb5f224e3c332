/** What a release holds and where it stands: the one place that names it. */
import manifest from "../../deno.json" with { type: "json" };

/** The repository of the releases. */
export const REPOSITORY = "https://github.com/codex-swarm/codex-swarm";

/** The version that everything here is of; deno.json names it. */
export const VERSION: string = manifest.version;

/** A platform that a release is made for, as an archive's name tells it. */
export type Target = "linux-x64" | "linux-arm64" | "macos-x64" | "macos-arm64" | "windows-x64" | "windows-arm64";

export interface Platform {
  /** As Deno names it. */
  readonly triple: string;
  /** The machine of GitHub Actions that runs its programs. */
  readonly runner: string;
  /** The program's name in the archive. */
  readonly program: "codex-swarm" | "codex-swarm.exe";
  readonly archive: "tar.gz" | "zip";
}

const UNIX = { program: "codex-swarm", archive: "tar.gz" } as const;
const WINDOWS = { program: "codex-swarm.exe", archive: "zip" } as const;

/** Every platform that a release is made for. */
export const PLATFORMS: Readonly<Record<Target, Platform>> = {
  "linux-x64": { triple: "x86_64-unknown-linux-gnu", runner: "ubuntu-24.04", ...UNIX },
  "linux-arm64": { triple: "aarch64-unknown-linux-gnu", runner: "ubuntu-24.04-arm", ...UNIX },
  "macos-x64": { triple: "x86_64-apple-darwin", runner: "macos-15-intel", ...UNIX },
  "macos-arm64": { triple: "aarch64-apple-darwin", runner: "macos-15", ...UNIX },
  "windows-x64": { triple: "x86_64-pc-windows-msvc", runner: "windows-2025", ...WINDOWS },
  "windows-arm64": { triple: "aarch64-pc-windows-msvc", runner: "windows-11-arm", ...WINDOWS },
};

/** The same in a fixed order. */
export const TARGETS: readonly Target[] = [
  "linux-x64",
  "linux-arm64",
  "macos-x64",
  "macos-arm64",
  "windows-x64",
  "windows-arm64",
];

/** The file of the release page that has the archives' sums, as `sha256sum` writes them: names without directories. */
export const SUMS = "SHA256SUMS";

/** An archive's name: `codex-swarm-1.2.3-linux-x64.tar.gz`. */
export function archiveName(version: string, target: Target): string {
  return `codex-swarm-${version}-${target}.${PLATFORMS[target].archive}`;
}

/** Where a file of the release page is downloaded from. */
export function downloadUrl(version: string, name: string): string {
  return `${REPOSITORY}/releases/download/v${version}/${name}`;
}
