import { waitFor } from "./wait_for.ts";

export interface TempDirectory extends AsyncDisposable {
  /** Absolute and free of symbolic links. */
  readonly path: string;
}

/** Makes an empty directory that is removed with everything in it when its scope ends. */
export async function tempDirectory(): Promise<TempDirectory> {
  // macOS names its temporary directory through a link, which no program reports back.
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "codex_swarm_test_" }));
  return {
    path,
    // What was just being started when its test ended may still put something there.
    [Symbol.asyncDispose]: async () => void await waitFor(() => isRemoved(path), { message: `${path} to be removed` }),
  };
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return true;
}

/** What stands in a directory, in order. */
export function namesIn(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}
