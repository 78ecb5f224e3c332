/** Moves checkouts of people's so that the next server can make good that one was killed in the midst of it. */
import { join } from "node:path";
import { endMove } from "../git/end_move.ts";
import { type Git, GitError } from "../git/git.ts";
import { type Checkout, holdIndex, moveCheckout } from "../git/update_checkout.ts";
import { isThere } from "../storage/files.ts";
import { gitDirsOf, lockMoves, moveJournal, readMove, removeMove, writeMove } from "../storage/move_journal.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import type { MergeResult } from "./merge_work.ts";
import type { RepositoryContent } from "./repository_content.ts";

/** How many files are named. */
const MAX_NAMED = 10;

interface MovesServices {
  readonly git: Git;
  readonly content: RepositoryContent;
}

/** Keeps other servers from moving a checkout. Throws {@linkcode GitError}, also where one was killed in doing so. */
export async function holdMoves({ path, gitDir }: Checkout): Promise<Disposable> {
  const lock = await lockMoves(gitDir);
  if (lock === null) throw new GitError(`another server is moving the files of ${path}. Call this again later`, null);
  if (!await isThere(moveJournal(gitDir))) return lock;
  lock[Symbol.dispose]();
  throw new GitError(`a server was killed just now while it moved the files of ${path}. Call this again`, null);
}

/** As {@linkcode moveCheckout} does, which throws {@linkcode GitError}. */
export async function moveByJournal(git: Git, move: Parameters<typeof moveCheckout>[1]): Promise<void> {
  const { checkout: { path, gitDir }, ref, from, to } = move;
  using _moves = await holdMoves({ path, gitDir });
  const index = `index.${crypto.randomUUID()}`;
  await writeMove(gitDir, { path, ref, from, to, index });
  const journal = moveJournal(gitDir);
  let release: () => Promise<void>;
  try {
    release = await holdIndex({ path, gitDir, journal });
  } catch (error) {
    await removeMove(gitDir);
    throw error;
  }
  try {
    await moveCheckout(git, { ...move, held: join(gitDir, index) });
  } catch (error) {
    // What somebody has written into a file meanwhile, or a full disk, may have kept git from turning all of them back.
    const left = await endMove(git, { ...move, journal, index }).then((ended) => ended.left, reasonOf);
    await release();
    if (typeof left !== "string") await removeMove(gitDir);
    if (left.length === 0) throw error;
    const state = typeof left === "string"
      ? `The files in ${path} may be the merged ones, which the next codex_merge takes back: ${left}`
      : `In ${path} these are otherwise by now and were left as they are: ${wordNames(left)}`;
    throw new TaskError("start_failed", `Cannot merge: ${reasonOf(error)}. ${state}.`, { cause: error });
  }
  await release();
  await removeMove(gitDir);
}

/** Gives what was found and done, in words. Throws {@linkcode GitError}. */
export async function endMoves(
  { git, content, commonDir }: MovesServices & { readonly commonDir: string },
): Promise<string[]> {
  const notes: string[] = [];
  for (const gitDir of await gitDirsOf(commonDir)) {
    if (!await isThere(moveJournal(gitDir))) continue;
    using lock = await lockMoves(gitDir);
    if (lock === null) {
      throw new GitError(`another server is moving the files of ${gitDir}. Call this again later`, null);
    }
    const move = await readMove(gitDir);
    if (move === null) continue;
    const { path, ...rest } = move;
    const text = (await content.of(commonDir))("text");
    const journal = moveJournal(gitDir);
    const ended = await endMove(git, { ...rest, checkout: { path, gitDir }, content: text, commonDir, journal });
    await removeMove(gitDir);
    notes.push(wordEnded(ended, move));
  }
  return notes;
}

/** Merges once all is made good that was broken off; whatever comes of it, that is told. */
export async function afterBrokenMoves(
  merge: () => Promise<MergeResult>,
  { commonDir, ...services }: MovesServices & { readonly commonDir: string | undefined },
): Promise<MergeResult & { readonly notes: readonly string[] }> {
  const notes = commonDir === undefined ? [] : await endMoves({ ...services, commonDir }).catch((error: unknown) => {
    const reason = `a merge was broken off, and cannot be made good yet: ${reasonOf(error)}`;
    throw new TaskError("start_failed", `Cannot merge: ${reason}.`, { cause: error });
  });
  try {
    const result = await merge();
    return { ...result, notes: [...notes, ...result.kind === "merged" ? result.notes : []] };
  } catch (error) {
    if (!(error instanceof TaskError) || notes.length === 0) throw error;
    throw new TaskError(error.code, [error.message, "Before that:", ...notes].join("\n"), { cause: error });
  }
}

function wordEnded(
  { end, left }: Awaited<ReturnType<typeof endMove>>,
  { path, ref, from, to }: { readonly path: string; readonly ref: string; readonly from: string; readonly to: string },
): string {
  const branch = ref.replace(/^refs\/heads\//, "");
  const broken = `A server was killed while it brought ${branch} from ${from} to ${to} in ${path}.`;
  switch (end) {
    case "left_alone":
      return `${broken} It no longer stands on either, so the files were left as they are: look at them with git status.`;
    case "taken_back":
    case "finished": {
      const done = end === "taken_back" ? "That was taken back" : "That was finished";
      if (left.length === 0) return `${broken} ${done}.`;
      return `${broken} ${done}, but for files that are otherwise by now and were left as they are: ${
        wordNames(left)
      }.`;
    }
  }
}

function wordNames(files: readonly string[]): string {
  const more = files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more` : "";
  return `${files.slice(0, MAX_NAMED).join(", ")}${more}`;
}
