/** Changes one table in the text of a TOML file, however it is written, and leaves every other character as it is. */
import type { Value } from "./client.ts";
import { scanToml, type Statement } from "./toml_scan.ts";

type Path = readonly string[];

/** A key with its value, and what is said behind them where there is room. */
export interface Line {
  readonly key: string;
  readonly value: Value;
  readonly remark?: string;
}

/** Removes a key or a table with all that is in it; `text` holds no list of tables of that name. */
export function removeToml(text: string, path: Path): string {
  let changed = text;
  for (;;) {
    const statements = scanToml(changed);
    const first = statements.findIndex((statement) => isBelow(statement.path, path));
    if (first >= 0) {
      let last = first;
      while (statements[last + 1] !== undefined && isBelow(statements[last + 1]?.path ?? [], path)) last++;
      changed = removeLines(changed, statements[first]?.range[0] ?? 0, statements[last]?.range[1] ?? 0);
      continue;
    }
    const members = memberLists(statements).find((list) => list.some((member) => isBelow(member.path, path)));
    if (members === undefined) return changed;
    changed = removeMember(changed, members, members.findIndex((member) => isBelow(member.path, path)));
  }
}

/** Replaces the value at a path, which must be there. */
export function replaceToml(text: string, path: Path, value: Value): string {
  const statements = scanToml(text);
  const found = [statements, ...memberLists(statements)].flat()
    .find((statement) => statement.value !== undefined && isSame(statement.path, path));
  if (found?.value === undefined) return text;
  return text.slice(0, found.value[0]) + tomlText(value) + text.slice(found.value[1]);
}

/** Adds keys to the table at a path, which is made at the end of the file when it is missing. */
export function addToml(text: string, path: Path, lines: readonly Line[]): string {
  const statements = scanToml(text);
  const header = statements.findIndex(({ kind, path: own }) => kind === "table" && isSame(own, path));
  if (header >= 0) return addBehind(text, { anchor: lastOfTable(statements, header), prefix: [], lines });
  const every = [statements, ...memberLists(statements)].flat();
  const inline = every.find(({ path: own, members }) => members !== undefined && isSame(own, path));
  if (inline !== undefined) return addMembers(text, inline, lines);
  const dotted = statements.findLast(({ kind, table, path: own }) =>
    kind === "pair" && isBelow(own, path) && table.length < path.length
  );
  if (dotted !== undefined) {
    return addBehind(text, { anchor: dotted, prefix: path.slice(dotted.table.length), lines });
  }
  const below = statements.find(({ kind, path: own }) => kind === "table" && isBelow(own, path));
  if (below !== undefined) {
    const at = lineStart(text, below.range[0]);
    const eol = eolOf(text);
    return text.slice(0, at) + blockText(path, lines, eol) + eol + text.slice(at);
  }
  const holder = every.find(({ path: own, members }) => members !== undefined && isSame(own, path.slice(0, -1)));
  if (holder !== undefined) {
    const value = Object.fromEntries(lines.map((line) => [line.key, line.value]));
    return addMembers(text, holder, [{ key: path.at(-1) ?? "", value }]);
  }
  return appendBlock(text, path, lines);
}

/** Writes a table with its header. */
export function blockText(path: Path, lines: readonly Line[], eol: string): string {
  return [`[${keyText(path)}]`, ...lines.map(lineText)].map((line) => line + eol).join("");
}

function appendBlock(text: string, path: Path, lines: readonly Line[]): string {
  const eol = eolOf(text);
  const ended = text === "" || text.endsWith("\n") ? text : text + eol;
  const gap = ended.trim() === "" || /\n\r?\n$/.test(ended) ? "" : eol;
  return ended + gap + blockText(path, lines, eol);
}

function addBehind(
  text: string,
  { anchor, prefix, lines }: { readonly anchor: Statement; readonly prefix: Path; readonly lines: readonly Line[] },
): string {
  const eol = eolOf(text);
  const start = lineStart(text, anchor.range[0]);
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
  const newline = text.indexOf("\n", anchor.range[1]);
  const end = newline < 0 ? text.length : newline + 1;
  const added = lines.map((line) => {
    const dots = prefix.length === 0 ? "" : `${keyText(prefix)}.`;
    return `${indent}${dots}${lineText(line)}${eol}`;
  });
  return text.slice(0, end) + (newline < 0 ? eol : "") + added.join("") + text.slice(end);
}

function addMembers(text: string, { members = [], value }: Statement, lines: readonly Line[]): string {
  if (value === undefined) return text;
  const added = lines.map((line) => `${keyText([line.key])} = ${tomlText(line.value)}`).join(", ");
  const last = members.at(-1);
  if (last === undefined) return `${text.slice(0, value[1] - 1).trimEnd()} ${added} ${text.slice(value[1] - 1)}`;
  return `${text.slice(0, last.range[1])}, ${added}${text.slice(last.range[1])}`;
}

function removeMember(text: string, members: readonly Statement[], index: number): string {
  const [before, member, after] = [members[index - 1], members[index], members[index + 1]];
  if (member === undefined) return text;
  const from = before === undefined ? member.range[0] : before.range[1];
  const to = before === undefined && after !== undefined ? after.range[0] : member.range[1];
  const rest = text.slice(to);
  // The comma behind the only member of a table that may end with one.
  const isOnly = before === undefined && after === undefined;
  return text.slice(0, from) + (isOnly ? rest.replace(/^\s*,/, "") : rest);
}

/** Removes whole lines, remarks behind the last one too, and one of two gaps that then meet. */
function removeLines(text: string, from: number, to: number): string {
  const start = lineStart(text, from);
  const newline = text.indexOf("\n", to);
  const before = text.slice(0, start);
  const after = newline < 0 ? "" : text.slice(newline + 1);
  const isGap = /(^|\n)[ \t]*\r?\n$/.test(before) && (after.trim() === "" || /^[ \t]*\r?\n/.test(after));
  return (isGap ? before.replace(/[ \t]*\r?\n$/, "") : before) + after;
}

function lastOfTable(statements: readonly Statement[], header: number): Statement {
  let last = header;
  while (statements[last + 1]?.kind === "pair") last++;
  return statements[last] ?? { kind: "table", path: [], table: [], range: [0, 0] };
}

function memberLists(statements: readonly Statement[]): (readonly Statement[])[] {
  return statements.flatMap(({ members }) => members === undefined ? [] : [members, ...memberLists(members)]);
}

function lineText({ key, value, remark }: Line): string {
  return `${keyText([key])} = ${tomlText(value)}${remark === undefined ? "" : ` # ${remark}`}`;
}

function keyText(path: Path): string {
  return path.map((key) => /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key)).join(".");
}

function tomlText(value: Value): string {
  if (typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(tomlText).join(", ")}]`;
  return `{ ${Object.entries(value).map(([key, inner]) => `${keyText([key])} = ${tomlText(inner)}`).join(", ")} }`;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isBelow(path: Path, top: Path): boolean {
  return path.length >= top.length && isSame(path.slice(0, top.length), top);
}

function isSame(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function eolOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? "\n";
}
