import { join } from "node:path";
import { fieldsOf } from "./bytes.ts";
import { shareIndex } from "./copy_index.ts";
import type { Git } from "./git.ts";
import { scratchFile } from "./scratch_file.ts";

/**
 * Writes what is staged in a working tree's index as a tree; of a path in conflict, its versions below `.conflict/STAGE/`.
 * `null` where there is no index. Throws {@linkcode GitError}.
 */
export async function writeStagedTree(
  git: Git,
  { gitDir, content, index }: {
    readonly gitDir: string;
    readonly content: Readonly<Record<string, string>>;
    /** A file beside this one is used. */
    readonly index: string;
  },
): Promise<string | null> {
  await using scratch = scratchFile(index);
  const own = scratch.path;
  await shareIndex(gitDir, content);
  try {
    await Deno.copyFile(join(gitDir, "index"), own);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const call = { env: { ...content, GIT_INDEX_FILE: own } };
  const plain = await git.run(["write-tree"], call);
  if (plain.exitCode === 0) return plain.stdout.trimEnd();
  const conflicts = fieldsOf(await git.output(["ls-files", "-u", "-z"], call));
  if (conflicts.length > 0) {
    // "MODE OID STAGE<tab>PATH" becomes "MODE OID 0<tab>.conflict/STAGE/PATH", and the path itself goes.
    const lines = conflicts.flatMap((line) => {
      const [, mode, oid, stage, path] = /^(\d+) ([0-9a-f]+) ([123])\t([^]*)$/.exec(line) ?? [];
      return [`0 ${"0".repeat(oid?.length ?? 40)}\t${path}\0`, `${mode} ${oid} 0\t.conflict/${stage}/${path}\0`];
    });
    await git.output(["update-index", "-z", "--index-info"], { ...call, input: lines.join("") });
  }
  return await git.text(["write-tree"], call);
}
