import { join } from "node:path";
import { tempDirectory } from "./temp_directory.ts";

export interface Gate extends AsyncDisposable {
  /** A FIFO: whoever reads a line from it waits for one of its own. */
  readonly path: string;
  /** Lets so many through, be they there already or still to come. */
  open(count: number): Promise<void>;
}

/** A place where any number of agents wait without using the processor, until they are let through. */
export async function makeGate(): Promise<Gate> {
  const temp = await tempDirectory();
  const path = join(temp.path, "gate");
  await new Deno.Command("mkfifo", { args: [path] }).output();
  // Both ways: neither does the opening wait for anybody, nor is there ever an end to be read.
  const file = await Deno.open(path, { read: true, write: true });
  return {
    path,
    open: async (count) => void await file.write(new TextEncoder().encode("\n".repeat(count))),
    [Symbol.asyncDispose]: async () => {
      file.close();
      await temp[Symbol.asyncDispose]();
    },
  };
}
