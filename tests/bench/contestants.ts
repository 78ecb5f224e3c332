/** Who takes part: we, and any other server that its user names. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../.github/scripts/bundle.ts";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";

export interface Contestant {
  /** The name of its column. */
  readonly name: string;
  readonly command: readonly string[];
  /** Our own may be looked into; of a peer only its answers are used. */
  readonly isOurs: boolean;
  /** Where its homes are made. They stay to the end: a file system that has just freed many files is slow for minutes. */
  readonly homes: string;
}

/** What all rows are given. */
export interface Bench {
  readonly ours: Contestant;
  readonly peers: readonly Contestant[];
  /** The least that a server on the same SDK can be. */
  readonly empty: Contestant;
  /** No server, but Deno. */
  readonly bare: Contestant;
}

/** Names of the columns that are no peers. */
export const OURS = "ours";
export const FLOOR = "floor";

/** Bundles what is measured into `directory`: a program as its users have it, without the compiler before it. */
export async function prepareBench(directory: string, peerCommands: readonly string[]): Promise<Bench> {
  const program = async (name: string, source: string): Promise<Contestant> => {
    const file = join(directory, `${name}.js`);
    await bundle(file, fileURLToPath(new URL(source, import.meta.url)));
    const command = [Deno.execPath(), "run", "--quiet", "--no-config", "--no-lock", ...RUN_FLAGS, file];
    return { name, command, isOurs: true, homes: directory };
  };
  return {
    ours: await program(OURS, "../../main.ts"),
    empty: await program("empty", "./empty_server.ts"),
    bare: await program("bare", "./bare_deno.ts"),
    peers: peerCommands.map((command, index) => ({
      name: `peer ${index + 1}`,
      command: ["/bin/sh", "-c", `exec ${command}`],
      isOurs: false,
      homes: directory,
    })),
  };
}
