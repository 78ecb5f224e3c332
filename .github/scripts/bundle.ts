/** `deno task bundle`: writes the whole program as one file that `deno run` needs nothing else for. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** Where the task leaves its result. */
export const BUNDLE = fileURLToPath(new URL("../../dist/codex-swarm.js", import.meta.url));

/** Bundles a program with its npm packages and inlined files into `output`, minified. Throws with what Deno said. */
export async function bundle(output: string, program: string = MAIN): Promise<void> {
  // Not --minify: Deno 2.9.6's own esbuild drops `using` where the value is used once, and with it every lock would be
  // kept for ever (evanw/esbuild#4482).
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--output", output, program],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle ${program}: ${new TextDecoder().decode(stderr).trim()}`);
  await Deno.writeTextFile(output, await minify(await withoutCachePaths(await Deno.readTextFile(output))));
}

/** The same sources make the same bundle, wherever this machine keeps its npm packages. */
async function withoutCachePaths(code: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: ROOT, stdin: "null" })
    .output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const path = relative(ROOT, npmCache).replaceAll("\\", "/");
  // Below it, a directory for each registry.
  return code.replaceAll(new RegExp(`${path.replaceAll(/[.+]/g, "\\$&")}/[^/]+/`, "g"), "npm/");
}

/** A program of half the size starts sooner: Deno reads the whole of it. */
async function minify(code: string): Promise<string> {
  try {
    const minified = await esbuild.transform(code, {
      format: "esm",
      target: "esnext",
      minify: true,
      legalComments: "eof",
    });
    return minified.code;
  } finally {
    await esbuild.stop();
  }
}

if (import.meta.main) {
  await bundle(BUNDLE);
  const { size } = await Deno.stat(BUNDLE);
  Deno.stdout.writeSync(new TextEncoder().encode(`Wrote dist/codex-swarm.js, ${Math.round(size / 1024)} KiB\n`));
}
