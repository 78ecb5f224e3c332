/** `codex-swarm uninstall CLIENT`: takes the server out of a client's file, or says what to take out. */
import { type Client, type FileFormat, type Machine, SERVER_NAME } from "./client.ts";
import {
  byteOrderMark,
  type ConfigFile,
  nameOf,
  readBackups,
  readConfigFile,
  replaceConfigFile,
} from "./config_file.ts";
import { InstallError } from "./install_error.ts";

export interface UninstallOptions {
  readonly client: Client;
  /** Only say what would be removed. */
  readonly isPrint: boolean;
  readonly machine: Machine;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Returns the exit code: 1 when the client's file could not be changed. */
export async function runUninstall({ client, isPrint, machine, write, writeError }: UninstallOptions): Promise<number> {
  const files = client.files(machine);
  const tell = (text: string): void =>
    write(`${[text, ...(client.removalNote === undefined ? [] : [client.removalNote])].join("\n\n")}\n`);
  try {
    if (client.format === undefined) {
      tell(`Remove ${client.where} from ${files.join(" or ")}.`);
      return 0;
    }
    for (const path of files) {
      const done = await uninstall(path, { client, format: client.format, isPrint });
      if (done === null) continue;
      tell(done);
      return 0;
    }
    tell(`${SERVER_NAME} does not stand in ${files.join(" or ")}: nothing to do.`);
    return 0;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    writeError(`codex-swarm: ${error.message}\n`);
    return 1;
  }
}

/** Returns what was done or is to be done, `null` when the server does not stand in the file. */
async function uninstall(
  path: string,
  { client, format, isPrint }: { readonly client: Client; readonly format: FileFormat; readonly isPrint: boolean },
): Promise<string | null> {
  try {
    const file = await readConfigFile(path);
    if (format.read(file.text) === undefined) return null;
    if (isPrint) return `Remove ${client.where} from ${nameOf(path, file)}.`;
    const text = await textWithout(file, format);
    const backup = await replaceConfigFile(file, text, { isPrivate: client.isPrivate });
    if (backup === null) return `Removed ${file.path}, which held nothing but ${SERVER_NAME}.`;
    return `Removed ${SERVER_NAME} from ${nameOf(path, file)}.\nWhat it held before is kept in ${backup}.`;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    throw new InstallError(
      `Cannot change ${path}: ${error.message}. Nothing was written. To do it by hand, remove ${client.where}.`,
      { cause: error },
    );
  }
}

/**
 * Gives what stood in the file before the server did, if nobody has changed anything else since, byte by byte; else the
 * text without the server; `null` when there was no file.
 */
async function textWithout(file: ConfigFile, format: FileFormat): Promise<string | null> {
  const removed = format.remove(file.text);
  const mark = byteOrderMark(file.bytes);
  const backups = await readBackups(file.path);
  const earlier = backups.map((text) => text.slice(mark.length)).filter((text) => isBefore(text, format));
  const same = earlier.find((text) => ANY.some((way) => format.remove(format.add(text, way)) === removed));
  if (same !== undefined) return mark + same;
  return earlier.length === 0 && format.isEmpty(removed) ? null : mark + removed;
}

/** What an entry says does not matter where it is removed again. */
const ANY = [{ kind: "stdio", command: SERVER_NAME, args: [] }, { kind: "http", url: "", hasToken: true }] as const;

/** Tells whether the server did not stand in a text yet. */
function isBefore(text: string, format: FileFormat): boolean {
  try {
    return format.read(text) === undefined;
  } catch (error) {
    if (error instanceof InstallError) return false;
    throw error;
  }
}
