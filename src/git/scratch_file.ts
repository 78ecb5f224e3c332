/**
 * The path of a file beside another one, for one piece of work alone: whatever a git leaves there that was killed, its lock
 * above all, is in nobody's way. Goes with what holds it.
 */
export interface ScratchFile extends AsyncDisposable {
  readonly path: string;
}

/** Names of them, of locks on them, and of other files that one piece of work alone has made. */
export const SCRATCH_NAME = /\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/;

export function scratchFile(beside: string): ScratchFile {
  const path = `${beside}.${crypto.randomUUID()}`;
  return {
    path,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const name of [path, `${path}.lock`]) await Deno.remove(name).catch(() => undefined);
    },
  };
}
