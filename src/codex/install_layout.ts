/** Where the package managers put Codex: paths only, nothing is looked at. */
import { basename, dirname, join, resolve } from "node:path";

/** A platform, named as `Deno.build` does. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** Names of the program in a folder of the search path. */
export function programNames(os: Platform["os"]): readonly string[] {
  return os === "windows" ? ["codex.exe", "codex.cmd"] : ["codex"];
}

/** Folders in which installers leave Codex, in the order of the search; nvm's come from {@linkcode nvmFolders}. */
export function usualFolders(options: {
  readonly os: Platform["os"];
  readonly home: string;
  /** `%APPDATA%` on Windows. */
  readonly appData?: string;
  readonly nvm: readonly string[];
}): readonly string[] {
  const { os, home, appData, nvm } = options;
  if (os === "windows") return appData === undefined ? [] : [join(appData, "npm")];
  const before = [".local/bin", ".npm-global/bin", ".volta/bin", ".bun/bin", ".cargo/bin"];
  return [
    ...before.map((folder) => join(home, folder)),
    ...nvm,
    "/opt/homebrew/bin",
    "/usr/local/bin",
    join(home, ".local/share/mise/shims"),
  ];
}

/** The `bin` folders of the Node versions that nvm holds, newest first. */
export function nvmFolders(home: string, versions: readonly string[]): readonly string[] {
  const newestFirst = versions.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return newestFirst.map((version) => join(nvmVersions(home), version, "bin"));
}

/** The folder whose entries are nvm's Node versions. */
export function nvmVersions(home: string): string {
  return join(home, ".nvm/versions/node");
}

/** Returns the root of the npm package if the file, symbolic links resolved, is its launcher. */
export function packageRootOf(launcher: string): string | null {
  const folder = dirname(launcher);
  const root = dirname(folder);
  const isLauncher = basename(launcher) === "codex.js" && basename(folder) === "bin" && basename(root) === "codex" &&
    basename(dirname(root)) === "@openai";
  return isLauncher ? root : null;
}

/** Returns the npm launcher that a wrapper script of npm's (Windows) or pnpm's starts, if the text is one. */
export function wrappedLauncher(wrapper: string, text: string): string | null {
  const path = /(?:\$basedir|%dp0%|%~dp0)[\\/]+([^"'\r\n]*@openai[\\/]codex[\\/]bin[\\/]codex\.js)/.exec(text)?.[1];
  return path === undefined ? null : resolve(dirname(wrapper), ...path.split(/[\\/]+/));
}

/** The places in which the npm package's native binary may lie, the likeliest first; empty for a platform without one. */
export function nativeCandidates(packageRoot: string, platform: Platform): readonly string[] {
  const names = platformNames(platform);
  if (names === null) return [];
  const vendors: string[] = [];
  // As Node looks for `@openai/codex-linux-x64`: from the package itself up to the root of the disk.
  for (let folder = packageRoot;; folder = dirname(folder)) {
    vendors.push(join(folder, "node_modules", "@openai", names.packageName, "vendor"));
    if (dirname(folder) === folder) break;
  }
  // Up to 0.128 the launcher's own package held the binaries of all platforms.
  vendors.push(join(packageRoot, "vendor"));
  const program = platform.os === "windows" ? "codex.exe" : "codex";
  return vendors.flatMap((vendor) => [
    join(vendor, names.triple, "bin", program),
    join(vendor, names.triple, "codex", program),
  ]);
}

function platformNames({ os, arch }: Platform): { readonly packageName: string; readonly triple: string } | null {
  const cpu = arch === "x86_64" ? "x64" : "arm64";
  switch (os) {
    case "linux":
    case "android":
      return { packageName: `codex-linux-${cpu}`, triple: `${arch}-unknown-linux-musl` };
    case "darwin":
      return { packageName: `codex-darwin-${cpu}`, triple: `${arch}-apple-darwin` };
    case "windows":
      return { packageName: `codex-win32-${cpu}`, triple: `${arch}-pc-windows-msvc` };
    default:
      return null;
  }
}
