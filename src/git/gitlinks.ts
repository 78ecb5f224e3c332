/** Entries of an index that stand for repositories inside the working tree. */
import { Buffer } from "node:buffer";
import { fieldsOf } from "./bytes.ts";
import type { Git, GitOptions } from "./git.ts";
import { isThere } from "./is_there.ts";

/** The mode of such an entry, as text and as index files of every version hold it. */
export const GITLINK = "160000";
const MODE_BYTES = Buffer.of(0, 0, 0xe0, 0);

/** Takes them out of the index of a call, and gives them as `ls-files -s` does. Throws {@linkcode GitError}. */
export async function takeOutGitlinks(git: Git, call: GitOptions & { readonly index: string }): Promise<string[]> {
  // Where the bytes are nowhere there is none, and git need not list what may be very many files.
  // Git writes no index where nothing is to be added.
  if (!await isThere(call.index) || !Buffer.from(await Deno.readFile(call.index)).includes(MODE_BYTES)) return [];
  const entries = fieldsOf(await git.output(["ls-files", "-s", "-z"], call));
  const links = entries.filter((entry) => entry.startsWith(GITLINK));
  if (links.length > 0) {
    const input = links.map((entry) => `${nameIn(entry)}\0`).join("");
    await git.output(["update-index", "-z", "--force-remove", "--stdin"], { ...call, input });
  }
  return links;
}

/** The name of such an entry. */
export function nameIn(entry: string): string {
  return entry.slice(entry.indexOf("\t") + 1);
}
