import { join } from "node:path";
import keeper from "../process/keeper.sh" with { type: "text" };
import { keeperOf } from "../process/keeper.ts";
import lookAt from "../process/look_at.sh" with { type: "text" };
import shim from "../process/shim.sh" with { type: "text" };
import { digest } from "./digest.ts";
import { writeAside } from "./write_aside.ts";

/** Both of them begin with what they share. */
const SHIM = lookAt + shim;
const KEEPER = lookAt + keeper;

/**
 * Writes the shim and its keeper into `directory` unless they are there, and gives the shim's path. Their names hold the
 * hash of both texts: they must fit each other, and a running shell reads its script bit by bit, so that a newer version
 * must never overwrite one in use.
 */
export async function installShim(directory: string): Promise<string> {
  const version = (await digest(SHIM + KEEPER)).slice(0, 12);
  const path = join(directory, `shim-${version}.sh`);
  await install(keeperOf(path), KEEPER);
  await install(path, SHIM);
  return path;
}

/** Tells whether a shim that was installed, and its keeper, are there. */
export function isInstalled(path: string): boolean {
  try {
    return Deno.statSync(path).isFile && Deno.statSync(keeperOf(path)).isFile;
  } catch {
    return false;
  }
}

async function install(path: string, text: string): Promise<void> {
  if (!await isSame(path, text)) await writeAside(path, text);
}

async function isSame(path: string, text: string): Promise<boolean> {
  try {
    return await Deno.readTextFile(path) === text;
  } catch {
    return false;
  }
}
