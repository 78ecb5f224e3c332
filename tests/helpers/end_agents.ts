import { join } from "node:path";
import { stopThroughShim } from "../../src/process/shim.ts";
import { waitFor } from "./wait_for.ts";

/** Ends what still runs on a state directory, as a detached agent does whose test is over, so that it can be removed. */
export async function endAgents(stateDir: string): Promise<void> {
  const script = (await names(stateDir)).find((name) => /^shim-.*\.sh$/.test(name));
  if (script === undefined) return;
  const tasks = join(stateDir, "tasks");
  await Promise.all((await names(tasks)).map(async (id) => {
    const directory = join(tasks, id);
    const locks = ["shim.lock", "tree.lock"].map((name) => join(directory, name));
    const isHeldAny = async (): Promise<boolean> => (await Promise.all(locks.map(isHeld))).includes(true);
    if (!await isHeldAny()) return;
    const env = { PATH: Deno.env.get("PATH") ?? "" };
    await stopThroughShim({ script: join(stateDir, script), directory, reason: "cancelled", env });
    await waitFor(async () => !await isHeldAny(), { message: `the run of ${id} to end` });
  }));
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function isHeld(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    return !await file.tryLock(true);
  } catch {
    return false;
  }
}
