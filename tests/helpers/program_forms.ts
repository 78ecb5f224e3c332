/** The program in each form in which it can be had. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../.github/scripts/bundle.ts";
import { compile } from "../../.github/scripts/compile.ts";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import type { FakeCodex } from "./fake_codex.ts";
import { type Base, findBase } from "./program_base.ts";
import { MAIN } from "./server_process.ts";
import { type Command, visitedSources, VISITOR, WITH_VISITOR } from "./visit.ts";

export interface ProgramForm {
  readonly name: "sources" | "bundle" | "binary";
  readonly command: Command;
  /** The same with a visitor in it; `null` where that would be another program. */
  readonly visited: ((directory: string) => Promise<Command>) | null;
  /** Ways out that are open to the visitor all the same, by a fault of an older Deno. */
  readonly open: readonly string[];
  /** The Codex to use with it; default one of each server's own. */
  readonly codex?: Pick<FakeCodex, "path" | "home">;
}

const BUNDLED = [Deno.execPath(), "run", "--quiet", "--no-config", "--no-lock"] as const;
const FAKE = fileURLToPath(new URL("../fixtures/fake_codex/", import.meta.url));

export function sources(): ProgramForm {
  return {
    name: "sources",
    command: [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN],
    visited: visitedSources(RUN_FLAGS),
    open: [],
  };
}

/** Bundles the program into `directory`. */
export async function bundled(directory: string): Promise<ProgramForm & { readonly file: string }> {
  const file = join(directory, "codex-swarm.js");
  await bundle(file);
  return {
    name: "bundle",
    file,
    command: [...BUNDLED, ...RUN_FLAGS, file],
    visited: () => Promise.resolve([...BUNDLED, ...RUN_FLAGS, ...WITH_VISITOR, file]),
    open: [],
  };
}

/** Compiles a bundle into the directory in which it is. */
export async function compiled(bundleFile: string, { env, open }: Base): Promise<ProgramForm> {
  return {
    name: "binary",
    command: [await compileBeside(bundleFile, env)],
    open,
    visited: async (directory): Promise<Command> => {
      const visitor = join(directory, "visitor.js");
      await bundle(visitor, VISITOR);
      const url = `data:text/javascript,${encodeURIComponent(await Deno.readTextFile(visitor))}`;
      const file = join(directory, "visited.js");
      await Deno.writeTextFile(file, `import "${url}";\n${await Deno.readTextFile(bundleFile)}`);
      return [await compileBeside(file, env)];
    },
  };
}

/** A compiled program: the one that `CODEX_SWARM_PROGRAM` names, or one that is made in `directory`. */
export async function compiledProgram(directory: string): Promise<string> {
  const named = namedProgram();
  if (named !== null) return named;
  const { file } = await bundled(directory);
  return await compileBeside(file, (await findBase()).env);
}

/** The program of a release, to be looked at in place of one of these sources; `null` without one. */
export function namedProgram(): string | null {
  const path = Deno.env.get("CODEX_SWARM_PROGRAM") ?? "";
  return path === "" ? null : resolve(path);
}

async function compileBeside(file: string, env: Base["env"]): Promise<string> {
  const output = file.replace(/\.js$/, "");
  await compile({ bundle: file, output, env });
  return Deno.build.os === "windows" ? `${output}.exe` : output;
}

/** A program that was made elsewhere, with a fake Codex that is a program, too: on Windows there are no scripts. */
export async function given(program: string, directory: string): Promise<ProgramForm> {
  const { env } = await findBase();
  const home = join(directory, "codex_home");
  await Deno.mkdir(home);
  await Deno.writeTextFile(join(home, "auth.json"), '{"auth_mode":"apikey","OPENAI_API_KEY":"fake"}\n');
  const output = join(directory, "codex");
  const { success, stderr } = await new Deno.Command(env["DENO_COMPILE"] ?? Deno.execPath(), {
    args: [
      ...["compile", "--quiet", "--no-config", "--no-lock", "--allow-all", "--include", join(FAKE, "help")],
      ...["--output", output, join(FAKE, "fake_codex.ts")],
    ],
    env: { ...env },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot compile the fake Codex: ${new TextDecoder().decode(stderr).trim()}`);
  const path = Deno.build.os === "windows" ? `${output}.exe` : output;
  return { name: "binary", command: [program], visited: null, open: [], codex: { path, home } };
}
