/** All kinds of work that an agent may leave in a worktree, and how to see whether they are there. */
import { join } from "node:path";
import type { TempRepo } from "./temp_repo.ts";
import { repoWithSubmodule } from "./repo_with_submodule.ts";

const GIT = "git -c user.name=Agent -c user.email=agent@example.com -c protocol.file.allow=always";

/** One kind: what makes it, in the worktree's top, and where it is then. */
export interface LeftKind {
  readonly name: string;
  /** For a POSIX shell. */
  readonly script: string;
  /** Files, as find(1) names them. */
  readonly paths: readonly string[];
  /** Subject of a commit that has to be reachable, from the top or from a repository inside. */
  readonly commit?: { readonly subject: string; readonly inside?: string };
  /** Git keeps it by itself, whatever becomes of the worktree. */
  readonly isGitsOwn?: boolean;
}

/** In an order in which none takes away what another has made. */
export const KINDS: readonly LeftKind[] = [
  {
    name: "stash",
    script: `echo stashed >stashed; ${GIT} add stashed; ${GIT} stash push --quiet --message=stashed`,
    paths: [],
    commit: { subject: "On codex-swarm/.*: stashed" },
    isGitsOwn: true,
  },
  {
    name: "detached commit",
    script: `branch=$(git branch --show-current); git checkout --quiet --detach; echo detached >detached
git add detached; ${GIT} commit --quiet --message=detached; git checkout --quiet "$branch"`,
    paths: [],
    commit: { subject: "detached" },
  },
  {
    name: "committed",
    script: `echo committed >committed; git add committed; ${GIT} commit --quiet --message=committed`,
    paths: ["./committed"],
    commit: { subject: "committed" },
  },
  { name: "modified", script: "echo changed >>tracked", paths: ["./tracked"] },
  { name: "staged", script: "echo staged >staged; git add staged; echo later >>staged", paths: ["./staged"] },
  { name: "untracked", script: "mkdir -p deep/er; echo new >deep/er/untracked", paths: ["./deep/er/untracked"] },
  { name: "ignored", script: "echo ignored >build.log", paths: ["./build.log"] },
  { name: "symlink", script: "ln -s nowhere link", paths: ["./link"] },
  { name: "0-byte", script: ": >empty", paths: ["./empty"] },
  { name: "exec bit", script: "echo '#!/bin/sh' >run; chmod +x run", paths: ["./run"] },
  {
    name: "non-UTF-8 name",
    script: `echo odd >"$(printf 'odd\\377\\376')"`,
    paths: ["./odd\\377\\376"],
  },
  {
    name: "submodule edit",
    script:
      `${GIT} submodule --quiet update --init sub; echo edited >>sub/file; (cd sub; ${GIT} commit --quiet --all --message=inside; echo more >>file)`,
    paths: ["./sub/file"],
    commit: { subject: "inside", inside: "sub" },
  },
  {
    name: "nested repo",
    script:
      `git init --quiet nested; (cd nested; echo nested >file; git add file; ${GIT} commit --quiet --message=nested; echo more >more)`,
    paths: ["./nested/file", "./nested/more"],
    commit: { subject: "nested", inside: "nested" },
  },
  {
    name: "nested repo with a newline in its path",
    script:
      `lines=$(printf 'two\\nlines'); git init --quiet "$lines"; (cd "$lines"; echo lines >file; git add file; ${GIT} commit --quiet --message=lines)`,
    paths: ["./two$lines/file"],
    commit: { subject: "lines", inside: "two\nlines" },
  },
  {
    name: "empty nested repo",
    script: `git init --quiet deep/hollow; (cd deep/hollow; ${GIT} commit --quiet --allow-empty --message=hollow)`,
    paths: [],
    commit: { subject: "hollow", inside: "deep/hollow" },
  },
  {
    name: "nested repo whose files are deleted",
    script:
      `git init --quiet bare/bones; (cd bare/bones; echo x >x; git add x; ${GIT} commit --quiet --message=bones; rm x)`,
    paths: [],
    commit: { subject: "bones", inside: "bare/bones" },
  },
];

/** Stands for itself: git goes no further in such a worktree. */
export const MID_REBASE: LeftKind = {
  name: "mid-rebase",
  script: `branch=$(git branch --show-current); echo ours >tracked; ${GIT} commit --quiet --all --message=ours
git checkout --quiet -b "side-$$" HEAD~1; echo theirs >tracked; ${GIT} commit --quiet --all --message=theirs
${GIT} rebase --quiet "$branch" >/dev/null 2>&1 || true; echo half >>tracked`,
  paths: ["./tracked"],
  commit: { subject: "theirs" },
};

/** A repository in which all of them can be made. */
export async function repoForAll(): Promise<TempRepo> {
  return await repoWithSubmodule({ files: { tracked: "tracked\n", ".gitignore": "*.log\n" } });
}

/** The script of several kinds, one after the other. */
export function scriptOf(kinds: readonly LeftKind[]): string {
  return `set -e\n${kinds.map(({ script }) => `(${script}\n)`).join("\n")}\n`;
}

/** What stands in a worktree: for each file but git's own a line with its path, kind, mode, link target and content. */
export async function fingerprint(path: string): Promise<ReadonlyMap<string, string>> {
  const script = `find . -name .git -prune -o '(' -type f -o -type l ')' -print0 | LC_ALL=C sort -z |
while IFS= read -r -d '' file; do
  printf '%s\\t%s\\t' "$(printf %s "$file" | LC_ALL=C sed -n 'l 0' | tr -d '\\n')" "$(stat -c '%F %a' -- "$file" | sed 's/regular empty file/regular file/')"
  if [ -L "$file" ]; then readlink -- "$file"; else sha256sum <"$file"; fi
done`;
  const { stdout, success } = await new Deno.Command("bash", { args: ["-c", script], cwd: path }).output();
  if (!success) throw new Error(`Cannot read ${path}`);
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  // sed(1) marks the end of the name.
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("$\t")), line.slice(line.indexOf("$\t") + 2)]));
}

/** Tells whether a kind is in `path` as it was before, and its commit reachable there. */
export async function isWhole(
  kind: LeftKind,
  { path, before }: { readonly path: string; readonly before: ReadonlyMap<string, string> },
): Promise<boolean> {
  const after = await fingerprint(path);
  if (!kind.paths.every((name) => before.has(name) && before.get(name) === after.get(name))) return false;
  if (kind.commit === undefined) return true;
  const { subject, inside = "" } = kind.commit;
  const { stdout } = await new Deno.Command("git", { args: ["-C", join(path, inside), "log", "--all", "--format=%s"] })
    .output();
  return new RegExp(`^${subject}$`, "m").test(new TextDecoder().decode(stdout));
}
