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
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** What stands in a directory, in order. */
export function namesIn(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}
