import { join } from "node:path";
import { type TempDirectory, tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

/**
 * Places where agents of the quick fake wait for this process: a named pipe each. Agents learn within a millisecond that
 * they may go on, nothing of the machine is used until then, and all go on when this process ends, however it does.
 */
export class Gates implements AsyncDisposable {
  readonly #directory: TempDirectory;
  readonly #path: string;
  readonly #files: readonly Deno.FsFile[];

  private constructor(directory: TempDirectory, files: readonly Deno.FsFile[]) {
    this.#directory = directory;
    this.#path = directory.path;
    this.#files = files;
  }

  static async open(count: number): Promise<Gates> {
    const directory = await tempDirectory();
    const paths = Array.from({ length: count }, (_, index) => join(directory.path, String(index)));
    const { success } = await new Deno.Command("mkfifo", { args: paths, stdin: "null" }).output();
    if (!success) throw new Error("Cannot make named pipes");
    // For both ways: to open a pipe for writing alone waits for a reader.
    const files = paths.map((path) => Deno.openSync(path, { read: true, write: true }));
    return new Gates(directory, files);
  }

  /** What an agent's prompt says so that it waits at this gate. */
  prompt(index: number, words = ""): string {
    return `quick: gate=${join(this.#path, String(index))} ${words}`.trim();
  }

  /** Settles when as many gates as given, or all, have an agent that waits. */
  async arrived(count = this.#files.length): Promise<void> {
    await waitFor(
      () => [...Deno.readDirSync(this.#path)].filter(({ name }) => name.endsWith(".held")).length >= count,
      {
        message: `${count} agents to reach their gates`,
        timeoutMs: 60_000,
      },
    );
  }

  /** Has the agent write one more event, and settles when it has. */
  async step(index: number): Promise<void> {
    const held = join(this.#path, `${index}.held`);
    await Deno.remove(held);
    this.#file(index).writeSync(new TextEncoder().encode("+\n"));
    await waitFor(() => Deno.stat(held), { message: "one more event" });
  }

  /** Lets the agent at this gate go, and gives the time just before. */
  release(index: number): number {
    const releasedAt = performance.now();
    this.#file(index).writeSync(new Uint8Array([10]));
    return releasedAt;
  }

  /** Forgets who waits at the gates, for the next agents. */
  async clear(): Promise<void> {
    for (const { name } of [...Deno.readDirSync(this.#path)]) {
      if (name.endsWith(".held")) await Deno.remove(join(this.#path, name));
    }
  }

  /** Lets all go. */
  async [Symbol.asyncDispose](): Promise<void> {
    // First the names: who comes later must not wait for ever.
    await this.#directory[Symbol.asyncDispose]();
    for (const file of this.#files) file.close();
  }

  #file(index: number): Deno.FsFile {
    const file = this.#files[index];
    if (file === undefined) throw new RangeError(`Cannot find gate ${index} of ${this.#files.length}`);
    return file;
  }
}
