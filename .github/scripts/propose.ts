/**
 * `propose.ts --version V --file FILE --repository OWNER/NAME --path PATH [--remote URL] [--dry-run]`: proposes a
 * formula or manifest to a tap or bucket, as a pull request. Needs git, and `gh` with a GH_TOKEN that may write there;
 * with `--dry-run` only git, and then shows what it would propose and changes nothing.
 */
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { exitCodeOf } from "./exit_code.ts";

export interface Proposal {
  readonly version: string;
  /** What is proposed. */
  readonly file: string;
  /** `OWNER/NAME` on GitHub, with at least one commit. */
  readonly repository: string;
  /** Where the file goes in it. */
  readonly path: string;
  /** Default that repository's address. */
  readonly remote?: string;
  readonly isDryRun: boolean;
}

/** The same as an action of GitHub's own would be. */
const AUTHOR = [
  ...["-c", "user.name=github-actions[bot]"],
  ...["-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"],
];
/** The token stays in the environment: neither in an argument nor in a file. */
const CREDENTIALS = ["-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential"];

/** Proposes, unless the file is there as it is. Gives what is to be told. Throws with what git or gh said. */
export async function propose(proposal: Proposal): Promise<string> {
  const { version, file, repository, path, remote = `https://github.com/${repository}.git`, isDryRun } = proposal;
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_propose_" });
  const git = (...args: readonly string[]): Promise<string> =>
    run("git", [...CREDENTIALS, "-C", directory, ...args], { GIT_TERMINAL_PROMPT: "0" });
  try {
    await git("clone", "--quiet", "--depth=1", remote, directory);
    const target = join(directory, path);
    const content = await Deno.readTextFile(file);
    if (await Deno.readTextFile(target).catch(() => null) === content) {
      return `${repository} has ${path} of codex-swarm ${version} already.`;
    }
    const base = await git("symbolic-ref", "--short", "HEAD");
    const branch = `codex-swarm-${version}`;
    await git("switch", "--quiet", "--create", branch);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, content);
    await git("add", "--", path);
    await git(...AUTHOR, "commit", "--quiet", `--message=codex-swarm ${version}`);
    if (isDryRun) return `Would propose to ${repository}, on ${base}:\n\n${await git("show", "--format=%s", "HEAD")}`;
    // The branch is ours: an earlier run of the same release may have left it.
    await git("push", "--quiet", "--force", "origin", branch);
    const gh = (...args: readonly string[]): Promise<string> => run("gh", ["pr", ...args, "--repo", repository]);
    const open = await gh("list", "--head", branch, "--state", "open", "--json", "url", "--jq", ".[].url");
    if (open !== "") return `Brought the proposal up to date: ${open}`;
    const body = `The file that the release of codex-swarm ${version} has made of its SHA256SUMS.`;
    const url = await gh(
      "create",
      ...["--head", branch, "--base", base, "--title", `codex-swarm ${version}`, "--body", body],
    );
    return `Proposed: ${url}`;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], env, stdin: "null" }).output();
  const verb = args.find((arg) => /^[a-z]+(-[a-z]+)?$/.test(arg)) ?? "";
  if (!success) throw new Error(`Cannot run ${program} ${verb}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout).trim();
}

async function main(): Promise<void> {
  const { values: { version, file, repository, path, remote, "dry-run": isDryRun = false } } = parseArgs({
    args: Deno.args,
    options: {
      version: { type: "string" },
      file: { type: "string" },
      repository: { type: "string" },
      path: { type: "string" },
      remote: { type: "string" },
      "dry-run": { type: "boolean" },
    },
  });
  if (version === undefined || file === undefined || repository === undefined || path === undefined) {
    throw new Error("Expected --version VERSION --file FILE --repository OWNER/NAME --path PATH.");
  }
  const told = await propose({
    version,
    file,
    repository,
    path,
    isDryRun,
    ...(remote === undefined ? {} : { remote }),
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`${told}\n`));
}

if (import.meta.main) Deno.exit(await exitCodeOf(main));
