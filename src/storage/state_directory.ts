import { TaskError } from "../task/errors.ts";
import { installShim } from "./install_shim.ts";

/**
 * Makes the places where tasks are kept, for nobody else to see, and puts the shim there; gives its path. Throws
 * `state_not_writable` with the way out.
 */
export async function makeStateDirectory(stateDir: string, others: readonly string[]): Promise<string> {
  try {
    for (const directory of [stateDir, ...others]) await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return await installShim(stateDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TaskError(
      "state_not_writable",
      `Cannot write the state directory ${stateDir}: ${reason}. Free some space there or name another directory with ` +
        "--state-dir.",
      { cause: error },
    );
  }
}
