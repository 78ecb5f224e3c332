/** The real Codex CLI, installed once per working copy and pointed at a mocked model. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MockModel } from "./mock_model.ts";

const VERSION = "0.169.0";
const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));

/** Where the parts of an installed Codex lie. */
export interface RealCodex {
  /** npm's `codex`, a script for Node that starts the native binary. */
  readonly launcher: string;
  readonly native: string;
  readonly version: string;
}

/** Installs Codex unless an earlier run did; needs `npm` then. Processes that install at the same time do not disturb each other. */
export async function ensureRealCodex(): Promise<RealCodex> {
  const directory = join(CACHE, `codex-${VERSION}`);
  if (!exists(directory)) await install(directory);
  const modules = join(directory, "node_modules");
  const { packageName, triple } = platform();
  const executable = Deno.build.os === "windows" ? "codex.exe" : "codex";
  return {
    launcher: join(modules, ".bin", Deno.build.os === "windows" ? "codex.cmd" : "codex"),
    native: join(modules, "@openai", packageName, "vendor", triple, "bin", executable),
    version: VERSION,
  };
}

async function install(directory: string): Promise<void> {
  Deno.mkdirSync(CACHE, { recursive: true });
  const aside = Deno.makeTempDirSync({ dir: CACHE, prefix: "installing-" });
  try {
    const args = [
      "install",
      "--prefix",
      aside,
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      `@openai/codex@${VERSION}`,
    ];
    const program = Deno.build.os === "windows" ? "npm.cmd" : "npm";
    const { success, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    if (!success) throw new Error(`Cannot install Codex ${VERSION}: ${new TextDecoder().decode(stderr).trim()}`);
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

/** The names that Codex's npm package gives its platforms. */
function platform(): { packageName: string; triple: string } {
  const machine = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  switch (Deno.build.os) {
    case "darwin":
      return { packageName: `codex-darwin-${machine}`, triple: `${Deno.build.arch}-apple-darwin` };
    case "windows":
      return { packageName: `codex-win32-${machine}`, triple: `${Deno.build.arch}-pc-windows-msvc` };
    default:
      return { packageName: `codex-linux-${machine}`, triple: `${Deno.build.arch}-unknown-linux-musl` };
  }
}

/** A home directory for Codex with nothing in it. */
export interface CodexHome extends AsyncDisposable {
  readonly path: string;
}

/** Makes a fresh home for Codex that only its owner can read; outside the temporary directory, where Codex warns. */
export function makeCodexHome(): CodexHome {
  Deno.mkdirSync(CACHE, { recursive: true });
  const path = Deno.makeTempDirSync({ dir: CACHE, prefix: "home-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** How to run Codex against a mocked model. */
export interface RealCodexEnvironment {
  /** The whole environment; to be passed with `clearEnv`. */
  readonly env: Readonly<Record<string, string>>;
  /** Arguments that point Codex at the mock; valid before and after `exec` and `resume`. */
  readonly serverArguments: readonly string[];
}

/** Describes a Codex whose requests all stay on loopback. Its state goes to `home`, which serves as HOME of its commands too. */
export function realCodexEnvironment(options: { model: MockModel; home: string; key?: string }): RealCodexEnvironment {
  // Port 9 discards or refuses: what would leave loopback in spite of the settings fails at once.
  const nowhere = "http://127.0.0.1:9";
  return {
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: options.home,
      CODEX_HOME: options.home,
      CODEX_API_KEY: options.key ?? "key-of-the-mock",
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      ALL_PROXY: nowhere,
      NO_PROXY: "127.0.0.1,localhost",
    },
    serverArguments: [
      `openai_base_url=${JSON.stringify(options.model.baseUrl)}`,
      "features.plugins=false",
      "features.shell_snapshot=false",
      "analytics.enabled=false",
      "check_for_update_on_startup=false",
    ].flatMap((setting) => ["-c", setting]),
  };
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
