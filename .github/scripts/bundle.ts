/** `deno task bundle`: writes the whole program as one file that `deno run` needs nothing else for. */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** Where the task leaves its result. */
export const BUNDLE = fileURLToPath(new URL("../../dist/codex-swarm.js", import.meta.url));

/** Bundles a program with its npm packages and inlined files into `output`. Throws with what Deno said. */
export async function bundle(output: string, program: string = MAIN): Promise<void> {
  // Not --minify: it drops `using` where the value is used once, and with it every lock is kept for ever
  // (evanw/esbuild#4482, in Deno 2.9.6).
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--output", output, program],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}

if (import.meta.main) {
  await bundle(BUNDLE);
  const { size } = await Deno.stat(BUNDLE);
  Deno.stdout.writeSync(new TextEncoder().encode(`Wrote dist/codex-swarm.js, ${Math.round(size / 1024)} KiB\n`));
}
