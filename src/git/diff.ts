import { fieldsOf, textOf } from "./bytes.ts";
import type { Git } from "./git.ts";

const TIMEOUT_MS = 2 * 60_000;
/** Many times what any client passes on. */
const MAX_PATCH_BYTES = 1024 * 1024;

export interface DiffOptions {
  /** Variables of an {@linkcode openContent} that converts line ends. */
  readonly content: Readonly<Record<string, string>>;
  /** Trees or commits. */
  readonly from: string;
  readonly to: string;
  /** From the top; those below too. Default all. */
  readonly paths?: readonly string[];
}

/** A file that differs. */
export interface DiffFile {
  readonly path: string;
  /** Where it was before. */
  readonly from?: string;
  readonly kind: "add" | "delete" | "update" | "rename";
  /** Lines; `null` for a binary file. */
  readonly added: number | null;
  readonly removed: number | null;
}

const KINDS: Readonly<Record<string, DiffFile["kind"]>> = { A: "add", D: "delete", R: "rename" };

/** Never a driver of somebody's. */
const PLAIN = ["--no-ext-diff", "--no-textconv", "--no-color", "--find-renames"];

/** The files that differ, by path. Throws {@linkcode GitError}. */
export async function diffFiles(git: Git, options: DiffOptions): Promise<DiffFile[]> {
  const kinds = fieldsOf(await diff(git, ["--name-status", "-z"], options));
  const numbers = fieldsOf(await diff(git, ["--numstat", "-z"], options));
  const counts = new Map<string, readonly [string, string]>();
  for (let at = 0; at < numbers.length; at++) {
    // A name may have tabs of its own.
    const [, added = "", removed = "", path = ""] = /^([^\t]*)\t([^\t]*)\t([^]*)$/.exec(numbers[at] ?? "") ?? [];
    // Of a renamed file both names follow.
    if (path === "") at += 2;
    counts.set(path === "" ? numbers[at] ?? "" : path, [added, removed]);
  }
  const files: DiffFile[] = [];
  for (let at = 0; at < kinds.length; at += 2) {
    const kind = KINDS[(kinds[at] ?? "").slice(0, 1)] ?? "update";
    const from = kind === "rename" ? kinds[++at] : undefined;
    const path = kinds[at + 1] ?? "";
    const [added, removed] = (counts.get(path) ?? []).map((count) => count === "-" ? null : Number(count));
    files.push({
      path: textOf(path),
      ...(from === undefined ? {} : { from: textOf(from) }),
      kind,
      added: added ?? null,
      removed: removed ?? null,
    });
  }
  return files;
}

export interface Patch {
  /** Without its middle when it is very long. */
  readonly text: string;
  /** Of all of it, in characters. */
  readonly length: number;
}

/** The patch, as text. Throws {@linkcode GitError}. */
export async function diffPatch(git: Git, options: DiffOptions): Promise<Patch> {
  const { content: env } = options;
  const { stdout, dropped } = await git.succeed(diffArgs(["--patch"], options), {
    env,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_PATCH_BYTES,
  });
  const text = textOf(stdout);
  return { text, length: text.length + dropped };
}

async function diff(git: Git, how: readonly string[], options: DiffOptions): Promise<string> {
  return await git.output(diffArgs(how, options), { env: options.content, timeoutMs: TIMEOUT_MS });
}

function diffArgs(how: readonly string[], { from, to, paths = [] }: DiffOptions): string[] {
  return [
    "diff",
    ...PLAIN,
    ...how,
    "--end-of-options",
    from,
    to,
    "--",
    ...paths.map((path) => `:(top,literal)${path}`),
  ];
}
