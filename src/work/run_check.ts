/** Tries what a commit holds with a command of the caller's, where that can harm nothing. */
import { join } from "node:path";
import type { CodexProbe } from "../codex/probe.ts";
import { exportTree } from "../git/export_tree.ts";
import type { Git } from "../git/git.ts";
import { runBound } from "../process/run_bound.ts";
import { describeEnd } from "../process/run_to_end.ts";
import { removeAll, removeOld } from "../storage/files.ts";
import { secretVariables } from "../task/secret_names.ts";
import type { RepositoryContent } from "./repository_content.ts";

/** A check is no work of its own. */
const TIMEOUT_MS = 15 * 60_000;
const MAX_TOLD = 8_000;

/** Codex's sandbox for workspaces: it writes into its directory alone, and reaches no network. */
const SANDBOX = [
  "sandbox_mode=workspace-write",
  "sandbox_workspace_write.network_access=false",
  "sandbox_workspace_write.exclude_slash_tmp=true",
  "sandbox_workspace_write.exclude_tmpdir_env_var=true",
  "sandbox_workspace_write.writable_roots=[]",
].flatMap((setting) => ["-c", setting]);

export interface CheckOptions {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly probe: () => Promise<CodexProbe>;
  readonly env: Readonly<Record<string, string>>;
  /** Commands that a person lets run outside the sandbox. */
  readonly allowed: ReadonlySet<string>;
  /** Holds the files of a commit for as long as its check runs. */
  readonly directory: string;
}

/** Runs a shell command on the files of a commit inside Codex's sandbox; `null` when it succeeds, else what it said. */
export async function runCheck(
  command: string,
  { commonDir, commit, signal }: {
    readonly commonDir: string;
    readonly commit: string;
    /** Ends it before its time. */
    readonly signal: AbortSignal;
  },
  { git, content, probe, env, allowed, directory }: CheckOptions,
): Promise<string | null> {
  const path = join(directory, crypto.randomUUID());
  const text = (await content.of(commonDir))("text");
  const log = `${path}.log`;
  // What a server has left that was killed in the midst of a check.
  await removeOld(directory, { ageMs: 4 * TIMEOUT_MS });
  try {
    await exportTree(git, { content: text, commit, path });
    const secrets = new Set(secretVariables(env, new Set()));
    const own = Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.has(name)));
    const line = allowed.has(command) ? command : await inSandbox(command, probe);
    const options = { cwd: path, env: own, log, tailBytes: MAX_TOLD, timeoutMs: TIMEOUT_MS, signal };
    const ended = await runBound(line, options);
    if (ended.exitCode === 0) return null;
    const said = ended.stdout.startsWith(`$ ${line}`) ? ended.stdout.slice(line.length + 2).trim() : ended.stdout;
    return `\`${command}\` ${describeEnd(ended)}${said === "" ? "" : `:\n${said}`}`;
  } finally {
    await removeAll(path);
    await removeAll(log);
  }
}

/** For a POSIX shell. */
async function inSandbox(command: string, probe: CheckOptions["probe"]): Promise<string> {
  const { binary } = await probe();
  const argv = [binary, "sandbox", ...SANDBOX, "--", "/bin/sh", "-c", command];
  return argv.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(" ");
}
