import { join } from "node:path";
import shimScript from "../process/shim.sh" with { type: "text" };
import { digest } from "./digest.ts";
import { writeAside } from "./write_aside.ts";

/**
 * Writes the shim into `directory` unless it is there, and gives its path. The name holds the text's hash, because a
 * running shell reads its script bit by bit: a newer version must never overwrite one in use.
 */
export async function installShim(directory: string): Promise<string> {
  const path = join(directory, `shim-${(await digest(shimScript)).slice(0, 12)}.sh`);
  if (!await isSame(path)) await writeAside(path, shimScript);
  return path;
}

async function isSame(path: string): Promise<boolean> {
  try {
    return await Deno.readTextFile(path) === shimScript;
  } catch {
    return false;
  }
}
