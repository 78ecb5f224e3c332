import type { Git } from "../git/git.ts";
import { textOf } from "../git/bytes.ts";

/** Lines told around a conflict, and files looked into. */
const AROUND = 3;
const MAX_FILES = 10;
const MAX_LENGTH = 20_000;
/** Of a file, of its start and of its end. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The parts of files where two sides differ, with both sides and their marks, and what git says of other conflicts. */
export async function conflictHunks(
  git: Git,
  { content, tree, files, messages }: {
    readonly content: Readonly<Record<string, string>>;
    readonly tree: string;
    readonly files: readonly string[];
    /** Git's own sentences. */
    readonly messages: readonly string[];
  },
): Promise<string> {
  const told = messages.filter((message) => !message.startsWith("CONFLICT (content)"));
  for (const file of files.slice(0, MAX_FILES)) {
    const { exitCode, stdout } = await git.run(["cat-file", "blob", `${tree}:${file}`], {
      env: content,
      maxBytes: MAX_BYTES,
    });
    if (exitCode === 0) told.push(...hunksOf(file, textOf(stdout)));
  }
  return told.join("\n").slice(0, MAX_LENGTH);
}

function hunksOf(file: string, text: string): string[] {
  const lines = text.split("\n");
  const hunks: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at]?.startsWith("<<<<<<< ") !== true) continue;
    const end = lines.findIndex((line, index) => index > at && line.startsWith(">>>>>>> "));
    if (end === -1) break;
    hunks.push(`${file}:${at + 1}`, ...lines.slice(Math.max(0, at - AROUND), end + 1 + AROUND));
    at = end;
  }
  return hunks;
}
