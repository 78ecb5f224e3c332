/** Reads a client's file and replaces it: in one step, with a backup, and only if nobody else has written meanwhile. */
import { basename, dirname, join, resolve } from "node:path";
import { reasonOf } from "../../task/errors.ts";
import { InstallError } from "./install_error.ts";

export interface ConfigFile {
  /** Where it really lies: links are followed. */
  readonly path: string;
  /** `null` when there is none. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** Without a byte order mark; empty when there is no file. */
  readonly text: string;
}

const BACKUP_ENDING = ".codex-swarm-backup";
const BYTE_ORDER_MARK = "\ufeff";
/** As many links as Linux follows. */
const MAX_LINKS = 40;

/** Reads a file that need not be there. Throws {@linkcode InstallError} when it cannot be read or is no text. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  try {
    const real = await followLinks(path);
    const bytes = await readOrNull(real);
    return { path: real, bytes, text: bytes === null ? "" : decode(bytes).replace(BYTE_ORDER_MARK, "") };
  } catch (error) {
    if (error instanceof InstallError) throw error;
    if (error instanceof TypeError) throw new InstallError("it is not written in UTF-8");
    throw new InstallError(`it cannot be read: ${reasonOf(error)}`);
  }
}

/**
 * Gives the file another text, or removes it for `null`, if it is still as it was read. Returns the path of the backup,
 * `null` for a new or a removed file. Throws {@linkcode InstallError}; then the file is as it was.
 */
export async function replaceConfigFile(
  file: ConfigFile,
  text: string | null,
  { isPrivate }: {
    /** A new file is for the user's eyes only. */
    readonly isPrivate: boolean;
  },
): Promise<string | null> {
  const aside = join(dirname(file.path), `.${basename(file.path)}.codex-swarm-${crypto.randomUUID()}`);
  try {
    if (text !== null) await writeAside(aside, { file, text, isPrivate });
    await checkUnchanged(file);
    const backup = file.bytes === null || text === null ? null : await keepBackup(file.path, file.bytes);
    // Once more: after this nothing takes time.
    await checkUnchanged(file);
    if (text === null) await Deno.remove(file.path);
    else await Deno.rename(aside, file.path);
    return backup;
  } catch (error) {
    await Deno.remove(aside).catch(() => undefined);
    if (error instanceof InstallError) throw error;
    throw new InstallError(`it cannot be written: ${reasonOf(error)}`);
  }
}

/** Names a file to its user: by the path that was asked for, and where that is a link by the one that it leads to. */
export function nameOf(path: string, file: ConfigFile): string {
  return path === file.path ? path : `${path}, a link to ${file.path}`;
}

/** Gives the texts of the backups that are kept beside a file, the newest first. */
export async function readBackups(path: string): Promise<string[]> {
  const texts: string[] = [];
  for (let number = 0;; number++) {
    const bytes = await readOrNull(backupPath(path, number)).catch(() => null);
    if (bytes === null) return texts;
    try {
      texts.unshift(decode(bytes));
    } catch {
      // Not one of ours, which were all read as text.
    }
  }
}

/** Gives the mark that a text began with, for what takes its place. */
export function byteOrderMark(bytes: Uint8Array | null): string {
  return bytes !== null && decode(bytes).startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
}

async function writeAside(
  aside: string,
  { file, text, isPrivate }: { readonly file: ConfigFile; readonly text: string; readonly isPrivate: boolean },
): Promise<void> {
  await Deno.mkdir(dirname(aside), { recursive: true, ...(isPrivate ? { mode: 0o700 } : {}) });
  const before = file.bytes === null ? null : await Deno.stat(file.path);
  // One that its owner has write-protected could be replaced all the same.
  if (before !== null && Deno.build.os !== "windows" && ((before.mode ?? 0) & 0o222) === 0) {
    throw new InstallError("it is write-protected");
  }
  const mode = isPrivate || before !== null ? 0o600 : 0o666;
  await writeNew(aside, { bytes: new TextEncoder().encode(text), mode });
  if (before !== null) await makeLike(aside, before);
}

/** Gives a file the owner and the mode of another. */
async function makeLike(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (Deno.build.os === "windows") return;
  const own = await Deno.stat(path);
  if (uid !== own.uid) await Deno.chown(path, uid, gid);
  else if (gid !== own.gid) await Deno.chown(path, null, gid).catch(() => undefined);
  if (mode !== null) await Deno.chmod(path, mode & 0o7777);
}

async function checkUnchanged({ path, bytes }: ConfigFile): Promise<void> {
  if (isSame(await readOrNull(path), bytes)) return;
  throw new InstallError("it was changed by another program meanwhile; run this again");
}

/** Never over an older one; what is kept already is not kept twice, so that nobody may remove one that is whole. */
async function keepBackup(path: string, bytes: Uint8Array): Promise<string> {
  const before = await Deno.stat(path);
  for (let number = 0;; number++) {
    const backup = backupPath(path, number);
    try {
      await writeNew(backup, { bytes, mode: 0o600 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (isSame(await readOrNull(backup).catch(() => null), bytes)) return backup;
      continue;
    }
    await makeLike(backup, before);
    return backup;
  }
}

async function writeNew(
  path: string,
  { bytes, mode }: { readonly bytes: Uint8Array; readonly mode: number },
): Promise<void> {
  using created = await Deno.open(path, { write: true, createNew: true, mode });
  try {
    for (let at = 0; at < bytes.length;) at += await created.write(bytes.subarray(at));
    await created.sync();
  } catch (error) {
    await Deno.remove(path).catch(() => undefined);
    throw error;
  }
}

function backupPath(path: string, number: number): string {
  return `${path}${BACKUP_ENDING}${number === 0 ? "" : `.${number}`}`;
}

/** A link whose end is not there yet is followed too: the file is made where it leads. */
async function followLinks(path: string): Promise<string> {
  let end = path;
  for (let count = 0; count < MAX_LINKS; count++) {
    const link = await Deno.readLink(end).catch(() => null);
    if (link === null) return end;
    // The way up out of a linked directory starts where that really lies.
    const directory = await Deno.realPath(dirname(end)).catch(() => dirname(end));
    end = resolve(directory, link);
  }
  throw new InstallError("it is a link that leads nowhere");
}

async function readOrNull(path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    // Opening a pipe would wait for its writer.
    const { isFile, isDirectory } = await Deno.stat(path);
    if (!isFile) {
      throw new InstallError(`it cannot be read: it is ${isDirectory ? "a directory" : "a pipe or a device"}, no file`);
    }
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
