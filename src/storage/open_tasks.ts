import { join } from "node:path";
import { digest } from "./digest.ts";

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
      Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(join(directory, id), "", { mode: 0o600 });
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
    return join(this.#directory, (await digest(repository)).slice(0, 16));
  }
}
