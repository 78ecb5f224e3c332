/** Client files in TOML: a table of servers by name, beside what else there is. */
import { isDeepStrictEqual } from "node:util";
import { parse, TomlError } from "smol-toml";
import { type Connection, type Entry, type FileFormat, SERVER_NAME } from "./client.ts";
import { InstallError } from "./install_error.ts";
import { addToml, blockText, type Line, removeToml, replaceToml } from "./toml_text.ts";

export interface TomlForm {
  /** The key of the table that holds the servers. */
  readonly servers: string;
  entry(connection: Connection): Entry;
  /** Why a key has its value, by key. */
  readonly remarks: Readonly<Record<string, string>>;
}

type Table = Readonly<Record<string, unknown>>;

/** Gives how files of this form are changed. */
export function tomlFormat(form: TomlForm): FileFormat {
  const path = [form.servers, SERVER_NAME];
  return {
    read: (text) => findEntry(parseToml(text), form),
    add(text, connection): string {
      const before = findEntry(parseToml(text), form) ?? {};
      const { owned, foreign } = form.entry(connection);
      let added = text;
      for (const key of foreign) added = removeToml(added, [...path, key]);
      for (const [key, value] of Object.entries(owned)) {
        const isOther = Object.hasOwn(before, key) && !isDeepStrictEqual(before[key], value);
        if (isOther && isTable(before[key])) added = removeToml(added, [...path, key]);
        else if (isOther) added = replaceToml(added, [...path, key], value);
      }
      const held = findEntry(parseToml(added), form) ?? {};
      const lines = linesOf(form, connection).filter(({ key }) => !Object.hasOwn(held, key));
      if (lines.length > 0) added = addToml(added, path, lines);
      check(form, { before: text, after: added, isIn: true });
      const result = findEntry(parseToml(added), form) ?? {};
      if (Object.entries(owned).every(([key, value]) => isDeepStrictEqual(result[key], value))) return added;
      throw new InstallError("changing only our entry in it did not work out");
    },
    remove(text): string {
      if (findEntry(parseToml(text), form) === undefined) return text;
      const removed = removeToml(text, path);
      check(form, { before: text, after: removed, isIn: false });
      return removed;
    },
    isEmpty: (text) => text.trim() === "",
  };
}

/** Writes what to add, for a person. */
export function tomlSnippet(form: TomlForm, connection: Connection): string {
  return blockText([form.servers, SERVER_NAME], linesOf(form, connection), "\n").trimEnd();
}

function linesOf({ entry, remarks }: TomlForm, connection: Connection): Line[] {
  const { owned, defaults = {} } = entry(connection);
  return Object.entries({ ...owned, ...defaults }).map(([key, value]) => {
    const remark = remarks[key];
    return { key, value, ...(remark === undefined ? {} : { remark }) };
  });
}

function parseToml(text: string): Table {
  try {
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.split("\n");
    throw new InstallError(
      `it is not TOML at line ${error.line}, column ${error.column}: ${what.replace(/^Invalid TOML document: /, "")}`,
    );
  }
}

function findEntry(root: Table, { servers }: TomlForm): Table | undefined {
  const all = root[servers];
  if (all === undefined) return undefined;
  if (!isTable(all)) throw new InstallError(`"${servers}" is not a table in it`);
  const entry = all[SERVER_NAME];
  if (entry !== undefined && !isTable(entry)) {
    throw new InstallError(`"${servers}.${SERVER_NAME}" is not a table in it`);
  }
  return entry;
}

/** Throws unless all but what is ours means the same as before: our own mistakes must not reach a user's file. */
function check(
  form: TomlForm,
  { before, after, isIn }: { readonly before: string; readonly after: string; readonly isIn: boolean },
): void {
  try {
    const isThere = findEntry(parseToml(after), form) !== undefined;
    if (isThere === isIn && isDeepStrictEqual(restOf(form, before), restOf(form, after))) return;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
  }
  throw new InstallError("changing only our entry in it did not work out");
}

function restOf({ servers }: TomlForm, text: string): unknown {
  const root = parseToml(text);
  const { [SERVER_NAME]: _, ...others } = Object(root[servers]);
  return Object.entries({ ...root, [servers]: others })
    .filter(([key, value]) => key !== servers || Object.keys(Object(value)).length > 0)
    .sort(([one], [other]) => one < other ? -1 : 1);
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
