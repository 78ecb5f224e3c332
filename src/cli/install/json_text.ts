/** Changes single values in the text of a JSON file with comments, and leaves every other character as it is. */
import { isDeepStrictEqual } from "node:util";
import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Value } from "./client.ts";
import { InstallError } from "./install_error.ts";

type Path = readonly string[];

/** What would stand in a file that holds nothing yet. */
export function orEmptyObject(text: string): string {
  return text.trim() === "" ? `{}${text === "" ? "\n" : text}` : text;
}

/** Reads the whole. Throws {@linkcode InstallError} that says where it cannot be read, or that it is no object. */
export function parseJson(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    throw new InstallError(`it is not JSON at ${placeOf(text, error.offset)}: ${wordsOf(error)}`);
  }
  if (root?.type !== "object") throw new InstallError("it does not hold a JSON object");
  return root;
}

/** Gives the value at a path, `undefined` without one. Throws {@linkcode InstallError} where a key stands twice. */
export function findValue(text: string, path: Path): Node | undefined {
  let node: Node | undefined = parseJson(text);
  for (const key of path) {
    if (node === undefined) return undefined;
    node = propertyOf(text, node, key)?.children?.[1];
  }
  return node;
}

/** Sets a value; of an object only what differs. What is missing on the way there is made. */
export function setValue(text: string, path: Path, value: Value): string {
  let node = parseJson(text);
  for (const [index, key] of path.entries()) {
    if (node.type !== "object") throw new InstallError(`"${path.slice(0, index).join(".")}" is not an object in it`);
    const found = propertyOf(text, node, key)?.children?.[1];
    if (found === undefined) {
      const inner = path.slice(index + 1).reduceRight<Value>((held, name) => ({ [name]: held }), value);
      return insert(text, node, { key, value: inner });
    }
    node = found;
  }
  if (isDeepStrictEqual(getNodeValue(node), value)) return text;
  if (node.type === "object" && isObject(value)) {
    return Object.entries(value).reduce((changed, [key, inner]) => setValue(changed, [...path, key], inner), text);
  }
  const written = write(value, { ...layoutOf(text), indent: lineIndent(text, node.offset), isInline: false });
  return splice(text, [node.offset, node.offset + node.length], written);
}

/** Adds an item to the end of the list at a path, which is made when it is missing. */
export function addItem(text: string, path: Path, item: Value): string {
  const list = findValue(text, path);
  if (list === undefined) return setValue(text, path, [item]);
  if (list.type !== "array") throw new InstallError(`"${path.join(".")}" is not a list in it`);
  return insert(text, list, { value: item });
}

/** Removes the property at a path, with its comma and, where nothing else is on them, its lines. */
export function removeValue(text: string, path: Path): string {
  const node = findValue(text, path);
  return node?.parent === undefined ? text : removeChild(text, node.parent);
}

/** Removes a property or an item. */
export function removeChild(text: string, child: Node): string {
  const siblings = child.parent?.children ?? [];
  const index = siblings.indexOf(child);
  const [start, end] = [child.offset, child.offset + child.length];
  const holderEnd = (child.parent?.offset ?? 0) + (child.parent?.length ?? 0) - 1;
  const comma = findComma(text, end, siblings[index + 1]?.offset ?? holderEnd);
  const before = siblings[index - 1];
  const commaBefore = before === undefined ? -1 : findComma(text, before.offset + before.length, start);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const last = comma < 0 ? end : comma + 1;
  const lineEnd = text.indexOf("\n", last);
  const isAlone = lineEnd >= 0 && text.slice(lineStart, start).trim() === "" &&
    text.slice(last, lineEnd).trim() === "" &&
    lineEnd < holderEnd;
  const rest = text.slice(end, last).replace(/,$/, "");
  let changed = isAlone && rest.trim() === ""
    ? splice(text, [lineStart, lineEnd + 1], "")
    : splice(text, index === 0 ? [start, skipBlanks(text, last)] : [backBlanks(text, start), last], rest);
  if (comma < 0 && commaBefore >= 0) changed = splice(changed, [commaBefore, commaBefore + 1], "");
  return closeEmpty(changed, child.parent?.offset ?? 0);
}

/** Tells whether a node holds nothing, comments included. */
export function holdsNothing(text: string, node: Node): boolean {
  return text.slice(node.offset + 1, node.offset + node.length - 1).trim() === "";
}

function closeEmpty(text: string, start: number): string {
  const [held] = /^[{[]\s*[}\]]/.exec(text.slice(start)) ?? [];
  return held === undefined ? text : splice(text, [start, start + held.length], held.replace(/\s+/, ""));
}

/** Puts a property or an item behind the last one, below the comments that stand there. */
function insert(text: string, holder: Node, { key, value }: { readonly key?: string; readonly value: Value }): string {
  const end = holder.offset + holder.length - 1;
  const last = holder.children?.at(-1);
  const after = last === undefined ? holder.offset + 1 : last.offset + last.length;
  const hasComma = last !== undefined && findComma(text, after, end) >= 0;
  const layout = layoutOf(text);
  const own = text.slice(holder.offset, end);
  const isInline = !own.includes("\n") && (last !== undefined || (holder.parent !== undefined && layout.isOneLine));
  const between = text.slice(after, end);
  const kept = between.trimEnd();
  const space = between.slice(kept.length);
  const indent = lineIndent(text, space.includes("\n") ? end : holder.offset);
  const childIndent = childIndentOf(text, holder) ?? indent + layout.unit;
  const written = write(value, { ...layout, indent: childIndent, isInline });
  const colon = isInline && !layout.isSpaced ? ":" : ": ";
  const child = `${key === undefined ? "" : JSON.stringify(key) + colon}${written}${hasComma ? "," : ""}`;
  const comma = last === undefined || hasComma ? "" : ",";
  if (isInline) {
    const gap = last !== undefined && layout.isSpaced ? " " : "";
    return splice(text, [after, end], `${comma}${kept}${gap}${child}${space}`);
  }
  const closing = space.includes("\n") ? space : layout.eol + indent;
  return splice(text, [after, end], `${comma}${kept}${layout.eol}${childIndent}${child}${closing}`);
}

interface Layout {
  readonly eol: string;
  /** One step of indentation. */
  readonly unit: string;
  /** The whole stands on one line. */
  readonly isOneLine: boolean;
  /** Colons and commas are followed by spaces. */
  readonly isSpaced: boolean;
}

function layoutOf(text: string): Layout {
  const root = parseJson(text);
  const isOneLine = !text.trim().includes("\n") && (root.children?.length ?? 0) > 0;
  return {
    eol: /\r?\n/.exec(text)?.[0] ?? "\n",
    unit: childIndentOf(text, root) || (/\n([ \t]+)/.exec(text)?.[1] ?? "  "),
    isOneLine,
    isSpaced: !isOneLine || /[:,]\s/.test(text),
  };
}

/** Gives the indentation of the first child that begins a line. */
function childIndentOf(text: string, holder: Node): string | null {
  for (const { offset } of holder.children ?? []) {
    const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
    if (line.trim() === "") return line;
  }
  return null;
}

function lineIndent(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", at - 1) + 1, at))?.[0] ?? "";
}

function write(
  value: Value,
  { eol, unit, indent, isInline, isSpaced }: Omit<Layout, "isOneLine"> & {
    readonly indent: string;
    readonly isInline: boolean;
  },
): string {
  if (!isInline) return JSON.stringify(value, null, unit).replaceAll("\n", eol + indent);
  return isSpaced ? JSON.stringify(value, null, 1).replaceAll(/\n */g, " ") : JSON.stringify(value);
}

/** Gives where the comma stands that is in no comment, or -1. */
function findComma(text: string, from: number, to: number): number {
  const [skipped = ""] = /^(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/.exec(text.slice(from, to)) ?? [];
  const at = from + skipped.length;
  return at < to && text[at] === "," ? at : -1;
}

function skipBlanks(text: string, at: number): number {
  return at + (/^[ \t]*/.exec(text.slice(at))?.[0].length ?? 0);
}

function backBlanks(text: string, at: number): number {
  return text.slice(0, at).replace(/[ \t]+$/, "").length;
}

function propertyOf(text: string, node: Node, key: string): Node | undefined {
  const found = (node.type === "object" ? node.children ?? [] : []).filter(({ children }) =>
    children?.[0]?.value === key
  );
  const [first, second] = found;
  if (second !== undefined) {
    throw new InstallError(`"${key}" stands in it twice, at ${placeOf(text, second.offset)} too`);
  }
  return first;
}

function isObject(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === "object" && !Array.isArray(value);
}

function splice(text: string, [from, to]: readonly [number, number], replacement: string): string {
  return text.slice(0, from) + replacement + text.slice(to);
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** `CommaExpected` becomes `comma expected`. */
function wordsOf({ error }: ParseError): string {
  return printParseErrorCode(error).replaceAll(/(?<!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
