/** Finds where the statements of a TOML file stand. The text must be one that a parser has found to be right. */
import { parse } from "smol-toml";

type Range = readonly [start: number, end: number];

export interface Statement {
  readonly kind: "table" | "list of tables" | "pair";
  /** From the top of the file, the table's own included. */
  readonly path: readonly string[];
  /** The table in which it stands. */
  readonly table: readonly string[];
  /** From its first character to its last, a remark behind it not included. */
  readonly range: Range;
  /** Of a pair. */
  readonly value?: Range;
  /** Of a pair whose value is an inline table. */
  readonly members?: readonly Statement[];
}

/** Gives the statements in the order of the file; those of inline tables as members of theirs. */
export function scanToml(text: string): Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  for (let at = skipBlank(text, 0); at < text.length; at = skipBlank(text, at)) {
    const [opening = ""] = /^\[{0,2}/.exec(text.slice(at, at + 2)) ?? [];
    if (opening === "") {
      const statement = scanPair(text, at, table);
      statements.push(statement);
      at = statement.range[1];
    } else {
      const [start, end] = keyRange(text, at + opening.length);
      const stop = text.indexOf("]", end) + opening.length;
      table = keysOf(text.slice(start, end));
      const kind = opening === "[" ? "table" : "list of tables";
      statements.push({ kind, path: table, table, range: [at, stop] });
      at = stop;
    }
  }
  return statements;
}

function scanPair(text: string, at: number, table: readonly string[]): Statement {
  const [start, end] = keyRange(text, at);
  const path = [...table, ...keysOf(text.slice(start, end))];
  const from = skipBlank(text, text.indexOf("=", end) + 1);
  const members: Statement[] = [];
  const to = valueEnd(text, from, { path, members });
  const isInline = text[from] === "{";
  return { kind: "pair", path, table, range: [start, to], value: [from, to], ...(isInline ? { members } : {}) };
}

/** Passes white space, line ends and remarks. */
function skipBlank(text: string, at: number): number {
  return at + (/^(?:\s|#[^\n]*)*/.exec(text.slice(at))?.[0].length ?? 0);
}

/** A dotted key may have quoted parts, and blanks around its dots. */
function keyRange(text: string, at: number): Range {
  const [blank = ""] = /^[ \t]*/.exec(text.slice(at)) ?? [];
  const start = at + blank.length;
  const part = String.raw`(?:[^\s.=\]"'#{},]+|"(?:\\.|[^"\\])*"|'[^']*')`;
  const [key = ""] = new RegExp(String.raw`^${part}(?:[ \t]*\.[ \t]*${part})*`).exec(text.slice(start)) ?? [];
  return [start, start + key.length];
}

function keysOf(key: string): string[] {
  const keys: string[] = [];
  let held: unknown = parse(`${key} = 0`);
  while (typeof held === "object" && held !== null) {
    const [entry] = Object.entries(held);
    if (entry === undefined) break;
    keys.push(entry[0]);
    held = entry[1];
  }
  return keys;
}

function valueEnd(
  text: string,
  at: number,
  { path, members }: { readonly path: readonly string[]; readonly members: Statement[] },
): number {
  const rest = text.slice(at);
  if (rest.startsWith("[")) {
    let end = skipSeparators(text, at + 1);
    while (end < text.length && text[end] !== "]") {
      end = skipSeparators(text, valueEnd(text, end, { path, members: [] }));
    }
    return end + 1;
  }
  if (rest.startsWith("{")) {
    let end = skipSeparators(text, at + 1);
    while (end < text.length && text[end] !== "}") {
      const member = scanPair(text, end, path);
      members.push(member);
      end = skipSeparators(text, member.range[1]);
    }
    return end + 1;
  }
  const quoted = /^(?:"""(?:\\[\s\S]|[^\\])*?"{3,5}(?!")|'''[\s\S]*?'{3,5}(?!')|"(?:\\.|[^"\\])*"|'[^']*')/.exec(rest)
    ?.[0];
  // A date and its time may stand apart by a blank, so only what cannot be in a plain value ends it.
  const plain = /^[^,\]}#\r\n]*/.exec(rest)?.[0].trimEnd();
  return at + (quoted ?? plain ?? "").length;
}

function skipSeparators(text: string, at: number): number {
  let end = skipBlank(text, at);
  while (text[end] === ",") end = skipBlank(text, end + 1);
  return end;
}
