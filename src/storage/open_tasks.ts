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

  /** The ids noted of a repository, or with `null` of all, in no order; none where nothing was noted or can be read. */
  async ids(repository: string | null): Promise<string[]> {
    if (repository !== null) return await namesIn(await this.#of(repository));
    const directories = await namesIn(this.#directory);
    return (await Promise.all(directories.map((name) => namesIn(join(this.#directory, name))))).flat();
  }

  async #of(repository: string): Promise<string> {
    return join(this.#directory, (await digest(repository)).slice(0, 16));
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch {
    return [];
  }
}
