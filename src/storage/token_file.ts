import { dirname } from "node:path";
import { reasonOf, TaskError } from "../task/errors.ts";
import { isThere } from "./files.ts";
import { syncDirectory, writeNew } from "./write_aside.ts";

/** Longest file that is read. */
const MAX_BYTES = 4_096;
/** Bits of a file's mode by which others than its owner can read or change it. */
const OTHERS = 0o066;

/** A token as it stands in a file. */
export interface TokenFile {
  readonly token: string;
  /** It was made just now. */
  readonly isNew: boolean;
  /** Others on this machine can read or change it. */
  readonly isOpen: boolean;
}

/**
 * Reads a token, the only line of a file; one of 256 random bits is made first where `isMade` says so and there is none.
 * Throws `invalid_argument` with the way out.
 */
export async function readTokenFile(
  path: string,
  { isMade, isToken }: { readonly isMade: boolean; readonly isToken: (text: string) => boolean },
): Promise<TokenFile> {
  try {
    // Where one stands nothing is written: the disk may be full.
    const isNew = isMade && !await isThere(path) && await makeToken(path);
    // Opening a pipe would wait for its writer.
    const { isFile, size, mode } = await Deno.stat(path);
    const token = isFile && size <= MAX_BYTES ? (await Deno.readTextFile(path)).trim() : "";
    if (!isToken(token)) {
      throw new Error("expected one line of at least 16 printable ASCII characters without spaces");
    }
    return { token, isNew, isOpen: ((mode ?? 0) & OTHERS) !== 0 };
  } catch (error) {
    const remedy = isMade ? "Remove it to have a new one made" : "Correct it, or leave --token-file out";
    throw new TaskError("invalid_argument", `Cannot use the token file ${path}: ${reasonOf(error)}. ${remedy}.`, {
      cause: error,
    });
  }
}

/** Makes a token unless there is one; of servers that start at once all use the same. */
async function makeToken(path: string): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${crypto.randomUUID()}.tmp`;
  await writeNew(aside, `${randomToken()}\n`);
  try {
    await Deno.link(aside, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  } finally {
    await Deno.remove(aside);
  }
}

function randomToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}
