/** Client files in JSON: an object of servers by name, beside what else there is. */
import { isDeepStrictEqual } from "node:util";
import { getNodeValue, type Node } from "jsonc-parser";
import { type Connection, type Entry, type FileFormat, SERVER_NAME, type Value, type Values } from "./client.ts";
import { InstallError } from "./install_error.ts";
import {
  addItem,
  findValue,
  holdsNothing,
  orEmptyObject,
  parseJson,
  removeChild,
  removeValue,
  setValue,
} from "./json_text.ts";

export interface JsonForm {
  /** The key of the object that holds the servers. */
  readonly servers: string;
  entry(connection: Connection): Entry;
  /** What the client asks its user for: kept in a list apart, and used by the entry as `${input:ID}`. */
  readonly input?: { readonly list: string; readonly item: Values & { readonly id: string } };
}

/** Gives how files of this form are changed. */
export function jsonFormat(form: JsonForm): FileFormat {
  const path = [form.servers, SERVER_NAME];
  return {
    read(text): Readonly<Record<string, unknown>> | undefined {
      const node = findEntry(orEmptyObject(text), path);
      return node === undefined ? undefined : getNodeValue(node);
    },
    add(text, connection): string {
      const before = orEmptyObject(text);
      const node = findEntry(before, path);
      const { owned, defaults = {}, foreign } = form.entry(connection);
      const present: Readonly<Record<string, unknown>> = node === undefined ? {} : getNodeValue(node);
      const missing = Object.entries(defaults).filter(([key]) => !Object.hasOwn(present, key));
      const wanted: Value = { ...owned, ...Object.fromEntries(missing) };
      const cleared = foreign.reduce((changed, key) => removeValue(changed, [...path, key]), before);
      const entered = setValue(cleared, path, wanted);
      const added = form.input === undefined ? entered : withInput(entered, form.input, usesInput(wanted, form.input));
      checkRest(form, before, added);
      return added === before ? text : added;
    },
    remove(text): string {
      if (findEntry(orEmptyObject(text), path) === undefined) return text;
      let removed = withoutEmptied(removeValue(text, path), form.servers);
      if (form.input !== undefined) removed = withInput(removed, form.input, false);
      checkRest(form, text, removed);
      return removed;
    },
    isEmpty: (text) => text.trim() === "" || holdsNothing(text, parseJson(text)),
  };
}

/** Writes what to add, for a person. */
export function jsonSnippet({ servers, entry, input }: JsonForm, connection: Connection): string {
  const { owned, defaults = {} } = entry(connection);
  const asked = input !== undefined && usesInput(owned, input) ? { [input.list]: [input.item] } : {};
  return JSON.stringify({ ...asked, [servers]: { [SERVER_NAME]: { ...owned, ...defaults } } }, null, 2);
}

function findEntry(text: string, path: readonly string[]): Node | undefined {
  const node = findValue(text, path);
  if (node !== undefined && node.type !== "object") {
    throw new InstallError(`"${path.join(".")}" is not an object in it`);
  }
  return node;
}

type Input = NonNullable<JsonForm["input"]>;

function usesInput(value: Value, { item: { id } }: Input): boolean {
  return JSON.stringify(value).includes(`\${input:${id}}`);
}

/** Adds or removes what the user is asked for; it stays while anything else uses it, as its owner has worded it. */
function withInput(text: string, input: Input, isNeeded: boolean): string {
  const { list, item } = input;
  const items = findValue(text, [list])?.children ?? [];
  const found = items.find((node) => node.type === "object" && getNodeValue(node).id === item.id);
  if (isNeeded) return found === undefined ? addItem(text, [list], item) : text;
  if (found === undefined || text.includes(`\${input:${item.id}}`)) return text;
  return withoutEmptied(removeChild(text, found), list);
}

function withoutEmptied(text: string, key: string): string {
  const node = findValue(text, [key]);
  return node !== undefined && holdsNothing(text, node) ? removeValue(text, [key]) : text;
}

/** Throws unless all but what is ours means the same as before: our own mistakes must not reach a user's file. */
function checkRest(form: JsonForm, before: string, after: string): void {
  if (isDeepStrictEqual(restOf(form, before), restOf(form, after))) return;
  throw new InstallError("changing only our entry in it did not work out");
}

function restOf({ servers, input }: JsonForm, text: string): unknown {
  const root: Readonly<Record<string, unknown>> = getNodeValue(parseJson(text));
  const { [SERVER_NAME]: _, ...others } = Object(root[servers]);
  const items: unknown = input === undefined ? [] : root[input.list] ?? [];
  return Object.entries({
    ...root,
    [servers]: others,
    ...(input === undefined || !Array.isArray(items)
      ? {}
      : { [input.list]: items.filter((item) => Object(item).id !== input.item.id) }),
  }).filter(([key, value]) => !([servers, input?.list].includes(key) && Object.keys(Object(value)).length === 0));
}
