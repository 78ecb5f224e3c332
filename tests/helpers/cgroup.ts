/** Bounds on what processes may take together, where this process may set them. */
import { join } from "node:path";
import { waitFor } from "./wait_for.ts";

export interface Cgroup extends AsyncDisposable {
  /** `sh` that puts the shell itself, and so all that it starts, into the group. */
  readonly enter: string;
  get(file: string): Promise<string>;
  set(file: string, value: string): Promise<void>;
}

/** Where groups of a controller are, of the first version or of the second one; `null` where none can be made. */
async function rootOf(controller: "pids" | "memory"): Promise<string | null> {
  for (const root of [`/sys/fs/cgroup/${controller}`, "/sys/fs/cgroup"]) {
    const trial = join(root, `codex_swarm_trial_${crypto.randomUUID()}`);
    try {
      await Deno.mkdir(trial);
      const hasController = Array.from(Deno.readDirSync(trial)).some(({ name }) => name.startsWith(`${controller}.`));
      await Deno.remove(trial);
      if (hasController) return root;
    } catch {
      // Not there, or not ours.
    }
  }
  return null;
}

const ROOTS = { pids: await rootOf("pids"), memory: await rootOf("memory") };

export function canBound(controller: "pids" | "memory"): boolean {
  return ROOTS[controller] !== null;
}

export async function makeCgroup(controller: "pids" | "memory"): Promise<Cgroup> {
  const root = ROOTS[controller];
  if (root === null) throw new Error(`Cannot make a group of ${controller}`);
  const path = join(root, `codex_swarm_test_${crypto.randomUUID()}`);
  await Deno.mkdir(path);
  return {
    enter: `echo $$ >'${path}/cgroup.procs'`,
    get: async (file) => (await Deno.readTextFile(join(path, file))).trim(),
    set: async (file, value) => await Deno.writeTextFile(join(path, file), value),
    // Some that were in it may only just be ending.
    [Symbol.asyncDispose]: async () =>
      void await waitFor(() => Deno.remove(path).then(() => true), { message: `${path} to be empty` }),
  };
}
