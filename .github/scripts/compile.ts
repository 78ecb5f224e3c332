/**
 * `deno task compile [--target TRIPLE | --all]`: makes one executable file of the program and Deno's runtime base, for
 * this platform or another, or a directory with one for each platform of a release.
 * `DENORT_BIN` names a base instead of the one Deno downloads, `DENO_COMPILE` another Deno to compile with.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { exitCodeOf } from "./exit_code.ts";
import { PLATFORMS, type Target, TARGETS } from "./release_names.ts";
import { RUN_FLAGS } from "./run_flags.ts";

/** Where the task leaves what it makes. */
export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Where `--all` leaves a platform's program. */
export function programPath(dist: string, target: Target): string {
  return join(dist, target, PLATFORMS[target].program);
}

export interface CompileOptions {
  /** A file that imports nothing. */
  readonly bundle: string;
  /** Where the executable goes; Deno adds `.exe` for Windows. */
  readonly output: string;
  /** A platform as Deno names it; default this one. */
  readonly target?: string;
  /** Added to this process's environment; `DENORT_BIN` and `DENO_COMPILE` are read from there. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Compiles a bundle. Throws with one line that says why it can't and what can be done. */
export async function compile(options: CompileOptions): Promise<void> {
  const env = { ...Deno.env.toObject(), ...options.env };
  checkBase(options, env);
  // A directory without a deno.json: compiled beside one, the binary would hold every package of its lock file.
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_compile_" });
  try {
    const source = join(directory, "codex-swarm.js");
    await Deno.copyFile(options.bundle, source);
    const target = options.target === undefined ? [] : ["--target", options.target];
    const { success, stderr } = await new Deno.Command(env["DENO_COMPILE"] ?? Deno.execPath(), {
      // The code cache would be a file with a name that can be guessed in the temporary directory, open to others.
      args: [
        ...["compile", "--quiet", "--no-config", "--no-lock", "--no-code-cache"],
        ...RUN_FLAGS,
        ...target,
        ...["--output", options.output, source],
      ],
      cwd: directory,
      env: { ...env, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    if (!success) throw new Error(explain(new TextDecoder().decode(stderr), options));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Deno takes the base that it is given for that of any platform. */
function checkBase({ target }: Pick<CompileOptions, "target">, env: Readonly<Record<string, string>>): void {
  if (!isForeign(target) || (env["DENORT_BIN"] ?? "") === "") return;
  throw new Error(
    `Cannot compile for ${target}: DENORT_BIN names a base of this machine. Unset it: Deno downloads the one of ${target}.`,
  );
}

function isForeign(target: string | undefined): boolean {
  return target !== undefined && target !== Deno.build.target;
}

/** Deno tells a failure from the outside in, a line for each cause, some of them twice. */
function explain(stderr: string, { target }: Pick<CompileOptions, "target">): string {
  const lines = stderr.split("\nStack backtrace:", 1).join("").split("\n");
  const causes = lines.map((line) => line.trim().replace(/^(error|Caused by): ?|^\d+: /, ""));
  const told = causes.filter((cause, index) =>
    cause !== "" && !cause.startsWith("Writing deno compile executable") &&
    !causes.slice(0, index).some((earlier) => earlier.includes(cause))
  );
  const base = isForeign(target)
    ? "Compile where Deno can download its runtime base"
    : "Set DENORT_BIN to a runtime base (denort) of the same Deno version";
  return `Cannot compile: ${
    told.join(": ")
  }. ${base}, or make a program for an installed Deno with \`deno task bundle\`.`;
}

interface Job {
  readonly output: string;
  readonly target?: string;
}

/** What is to be compiled for these arguments. Throws for any others. */
export function compileJobs(args: readonly string[], dist: string = DIST): Job[] {
  const { values: { target, all } } = parseArgs({
    args: [...args],
    options: { target: { type: "string" }, all: { type: "boolean" } },
  });
  if (all === true && target !== undefined) throw new Error("Cannot compile: give --target or --all, not both.");
  if (all === true) {
    return TARGETS.map((name) => ({ output: programPath(dist, name), target: PLATFORMS[name].triple }));
  }
  return [{ output: join(dist, "codex-swarm"), ...(target === undefined ? {} : { target }) }];
}

async function main(): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_bundle_" });
  const file = join(directory, "codex-swarm.js");
  try {
    const jobs = compileJobs(Deno.args);
    for (const job of jobs) checkBase(job, Deno.env.toObject());
    await bundle(file);
    for (const job of jobs) await compile({ bundle: file, ...job });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await exitCodeOf(main));
