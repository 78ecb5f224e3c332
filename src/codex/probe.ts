/** Finds the installed Codex and asks it, once per installed file, what it can do. */
import { dirname } from "node:path";
import * as z from "zod";
import { describeEnd, type EndedCommand, runToEnd } from "../process/run_to_end.ts";
import { TaskError } from "../task/errors.ts";
import type { CodexCommand } from "./codex_args.ts";
import { findCodex, type FindOptions, type FoundCodex } from "./find_codex.ts";
import { hasSubcommand, isTooOld, OLDEST_CODEX, parseFlags, parseVersion } from "./help_text.ts";

/** The Codex that runs will use. */
export interface CodexProbe extends FoundCodex {
  readonly version: string;
  /** Long flags of `codex exec`. */
  readonly flags: readonly string[];
  /** Long flags that may stand behind `codex exec resume`. */
  readonly resumeFlags: readonly string[];
  readonly hasResume: boolean;
}

/** Options of {@linkcode probeCodex}; Codex gets all of `env`. */
export interface ProbeOptions extends FindOptions {
  /** A JSON file in an existing or missing folder; a broken one is ignored. */
  readonly cacheFile: string;
}

/** How long Codex may take to print its version or help. */
const CODEX_TIMEOUT_MS = 10_000;
/** Binaries that the cache remembers. */
const MAX_CACHED = 8;

/** Finds Codex and what it can do. Throws `codex_missing` with all places tried, or `codex_unsupported`. */
export async function probeCodex(options: ProbeOptions): Promise<CodexProbe> {
  return await probeFound(await findCodex(options), options);
}

/**
 * Probes when first called and remembers the answer for as long as the files it is about stay the same: an update of
 * Codex, or its removal, is seen at the next call. What could not be found is looked for again.
 */
export function rememberProbe(options: ProbeOptions): () => Promise<CodexProbe> {
  let known: ReturnType<typeof stampedProbe> | undefined;
  return async () => {
    const seen = known;
    try {
      if (seen !== undefined) {
        const { probe, stamp } = await seen;
        if (stamp === await stampOf(probe)) return probe;
      }
      // Of many calls at once only the first one looks.
      if (known === seen) known = undefined;
      return (await (known ??= stampedProbe(options))).probe;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
}

async function stampedProbe(options: ProbeOptions): Promise<{ readonly probe: CodexProbe; readonly stamp: string }> {
  const found = await findCodex(options);
  // Before Codex is asked: what is put in its place meanwhile has another one.
  const stamp = await stampOf(found);
  return { probe: await probeFound(found, options), stamp };
}

/** Tells the files apart that stood in these places; the launcher may lead to another binary, which stays beside the old one. */
async function stampOf({ path, binary }: FoundCodex): Promise<string> {
  const stamps = [path, binary].map(async (file) => {
    try {
      const { ino, mtime, size } = await Deno.stat(file);
      return `${ino} ${mtime?.getTime()} ${size}`;
    } catch {
      return "gone";
    }
  });
  return (await Promise.all(stamps)).join(", ");
}

async function probeFound(found: FoundCodex, options: ProbeOptions): Promise<CodexProbe> {
  const abilities = await readAbilities(found, options);
  if (isTooOld(abilities.version)) {
    throw new TaskError(
      "codex_unsupported",
      `Cannot use this Codex: found ${abilities.version} at ${found.path}, ${OLDEST_CODEX} or newer is needed. ` +
        "Update it with `npm install -g @openai/codex@latest`, or name another with --codex PATH.",
    );
  }
  return { ...found, ...abilities };
}

/** Tells whether the probed Codex has a long flag, as {@linkcode codexArgs} asks. */
export function hasFlag(probe: CodexProbe, flag: string, command: CodexCommand): boolean {
  return (command === "exec" ? probe.flags : probe.resumeFlags).includes(flag);
}

/** Asks Codex whether it is signed in; a custom provider or CODEX_API_KEY needs no sign-in. */
export async function codexLoginStatus(
  probe: CodexProbe,
  env: Readonly<Record<string, string>>,
): Promise<{ isLoggedIn: boolean; text: string }> {
  const result = await runToEnd(probe.binary, ["login", "status"], { env, timeoutMs: CODEX_TIMEOUT_MS });
  const lines = `${result.stdout}\n${result.stderr}`.split("\n").map((line) => line.trim());
  const text = lines.filter((line) => line !== "" && !line.startsWith("WARNING: ")).join("\n");
  return { isLoggedIn: result.exitCode === 0, text: text === "" ? describeEnd(result) : text };
}

const abilitiesSchema = z.object({
  version: z.string(),
  flags: z.array(z.string()),
  resumeFlags: z.array(z.string()),
  hasResume: z.boolean(),
});
type Abilities = z.infer<typeof abilitiesSchema>;

const cacheSchema = z.array(
  z.object({ binary: z.string(), mtimeMs: z.number(), size: z.number(), abilities: abilitiesSchema }),
);

async function readAbilities({ binary, isIndirect }: FoundCodex, options: ProbeOptions): Promise<Abilities> {
  if (isIndirect) return await askCodex(binary, options.env);
  const info = await Deno.stat(binary);
  const key = { binary, mtimeMs: info.mtime?.getTime() ?? 0, size: info.size };
  const cache = await readCache(options.cacheFile);
  const hit = cache.find((entry) =>
    entry.binary === binary && entry.mtimeMs === key.mtimeMs && entry.size === key.size
  );
  if (hit !== undefined) return hit.abilities;
  const abilities = await askCodex(binary, options.env);
  const others = cache.filter((entry) => entry.binary !== binary);
  await writeCache([{ ...key, abilities }, ...others].slice(0, MAX_CACHED), options);
  return abilities;
}

async function askCodex(binary: string, env: Readonly<Record<string, string>>): Promise<Abilities> {
  const ask = (args: readonly string[]): Promise<EndedCommand> =>
    runToEnd(binary, args, { env, timeoutMs: CODEX_TIMEOUT_MS });
  const [versionResult, exec, resume] = await Promise.all([
    ask(["--version"]),
    ask(["exec", "--help"]),
    ask(["exec", "resume", "--help"]),
  ]);
  const version = parseVersion(versionResult.stdout);
  if (versionResult.exitCode !== 0 || version === null) throw cannotRun(binary, "--version", versionResult);
  const flags = parseFlags(exec.stdout);
  if (!isTooOld(version) && !flags.includes("--json")) throw cannotRun(binary, "exec --help", exec);
  const hasResume = hasSubcommand(exec.stdout, "resume");
  return { version, flags, resumeFlags: hasResume ? parseFlags(resume.stdout) : [], hasResume };
}

function cannotRun(binary: string, args: string, result: EndedCommand): TaskError {
  const output = `${result.stderr}\n${result.stdout}`.trim().slice(-500);
  return new TaskError(
    "codex_unsupported",
    `Cannot use the Codex at ${binary}: \`${args}\` ${describeEnd(result)}${output === "" ? "" : `: ${output}`}. ` +
      "Reinstall it with `npm install -g @openai/codex`, or name another with --codex PATH.",
  );
}

async function readCache(file: string): Promise<z.infer<typeof cacheSchema>> {
  try {
    return cacheSchema.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch {
    // None yet, or a broken one: Codex is asked again.
    return [];
  }
}

async function writeCache(cache: z.infer<typeof cacheSchema>, { cacheFile, log }: ProbeOptions): Promise<void> {
  const aside = `${cacheFile}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(dirname(cacheFile), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(aside, JSON.stringify(cache), { mode: 0o600 });
    await Deno.rename(aside, cacheFile);
  } catch (error) {
    log.debug("Cannot keep what Codex told about itself", { cacheFile, error });
    await Deno.remove(aside).catch(() => {});
  }
}
