/** The real Codex CLI, installed once per working copy and pointed at a mocked model. */
import { join } from "node:path";
import type { MockModel } from "./mock_model.ts";
import { CACHE, installPackages } from "./npm_cache.ts";

const VERSION = "0.169.0";

/** The API key that Codex has where a test names no other. */
export const MOCK_KEY = "key-of-the-mock";

/** Where the parts of an installed Codex lie. */
export interface RealCodex {
  /** npm's `codex`, a script for Node that starts the native binary. */
  readonly launcher: string;
  readonly native: string;
  readonly version: string;
}

/** Installs Codex unless an earlier run did; needs `npm` then. Processes that install at the same time do not disturb each other. */
export async function ensureRealCodex(): Promise<RealCodex> {
  const modules = await installPackages(`codex-${VERSION}`, [`@openai/codex@${VERSION}`]);
  const { packageName, triple } = platform();
  const executable = Deno.build.os === "windows" ? "codex.exe" : "codex";
  return {
    launcher: join(modules, ".bin", Deno.build.os === "windows" ? "codex.cmd" : "codex"),
    native: join(modules, "@openai", packageName, "vendor", triple, "bin", executable),
    version: VERSION,
  };
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
      CODEX_API_KEY: options.key ?? MOCK_KEY,
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
      // Else each sandbox has its mount points in the machine's own /tmp, and one that is stopped leaves them there.
      "sandbox_workspace_write.exclude_slash_tmp=true",
    ].flatMap((setting) => ["-c", setting]),
  };
}
