import { isInstalled } from "./install_shim.ts";
import { makeStateDirectory } from "./state_directory.ts";

/** The places where tasks are kept: made when they are first needed, and anew when somebody has removed them since. */
export class StatePlaces {
  readonly #stateDir: string;
  readonly #others: readonly string[];
  #made: Promise<string> | undefined;

  constructor(stateDir: string, others: readonly string[]) {
    this.#stateDir = stateDir;
    this.#others = others;
  }

  /** Makes what a task needs before it can be written down. Throws `state_not_writable`. */
  async prepare(): Promise<void> {
    await this.#ensure(() => this.#others.every(isDirectory));
  }

  /** Gives the path of the installed shim. Throws `state_not_writable`. */
  async script(): Promise<string> {
    return await this.#ensure(isInstalled);
  }

  async #ensure(isThere: (script: string) => boolean): Promise<string> {
    const made = this.#make();
    const script = await made;
    if (isThere(script)) return script;
    // Another one may have seen the same, and be at it.
    if (this.#made === made) this.#made = undefined;
    return await this.#make();
  }

  /** A failure is tried again: there may be room meanwhile. */
  #make(): Promise<string> {
    this.#made ??= makeStateDirectory(this.#stateDir, this.#others).catch((error) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }
}

/** A step that takes a few microseconds; going through another thread would take ten times as long. */
function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
