import { join } from "node:path";

/**
 * Notes per repository which tasks nobody has been given the result of yet, so that a server that starts need not read
 * all tasks there ever were. Only a help: a task without a note is complete all the same.
 */
export class OpenTasks {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(repository: string, id: string): Promise<void> {
    const directory = await this.#of(repository);
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(join(directory, id), "", { mode: 0o600 });
    } catch {
      // Without its note the task only goes uncounted.
    }
  }

  async remove(repository: string, id: string): Promise<void> {
    await Deno.remove(join(await this.#of(repository), id)).catch(() => undefined);
  }

  /** The ids noted, in no order; none where nothing was noted or can be read. */
  async ids(repository: string): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(await this.#of(repository)))).map(({ name }) => name);
    } catch {
      return [];
    }
  }

  async #of(repository: string): Promise<string> {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(repository));
    const name = Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return join(this.#directory, name);
  }
}
