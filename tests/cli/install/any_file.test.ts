/** Files that chance has written: what is ours comes and goes, and all else means what it did. */
import assert from "node:assert/strict";
import { parse as parseJsonc } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import type { Connection, FileFormat } from "../../../src/cli/install/client.ts";
import { clientNames } from "../../../src/cli/install/clients.ts";
import { seededRandom } from "../../helpers/random.ts";

const FILES = 400;
const NAME = "codex-swarm";
const WAYS: readonly Connection[] = [
  { kind: "stdio", command: "/x", args: ["a"] },
  { kind: "http", url: "http://127.0.0.1:1/mcp", hasToken: true },
];

type Random = (below: number) => number;

function some<T>(random: Random, values: readonly T[]): readonly T[] {
  return values.filter(() => random(2) === 0);
}

function pick<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[random(values.length)] ?? values[0];
}

function jsonFile(random: Random, servers: string): string {
  const eol = pick(random, ["\n", "\r\n"]);
  const gap = (): string =>
    pick(random, ["", "", " ", `${eol}  `, `${eol}\t`, " /* , } */ ", ` // x , }${eol}`, `${eol}// "{${eol}`]);
  const object = (entries: readonly string[]): string => {
    const comma = entries.length > 0 && random(4) === 0 ? "," : "";
    return `{${entries.map((entry) => gap() + entry + gap()).join(",")}${comma}${gap()}}`;
  };
  const value = (): string =>
    pick(random, ['"a, // } b"', "1.50", "null", '"\\u0022}"', `[${gap()}1${gap()},{}${gap()}]`, object(['"a":1'])]);
  const entry = (key: string, inner: string): string => `${JSON.stringify(key)}${gap()}:${gap()}${inner}`;
  const server = (): string =>
    object(some(random, ["command", "args", "url", "env"]).map((key) => entry(key, value())));
  const all = object(some(random, ["a", NAME, "b,}"]).map((key) => entry(key, server())));
  const top = some(random, ["x", servers, "y"]).map((key) => entry(key, key === servers ? all : value()));
  return gap() + object(top) + gap();
}

function tomlFile(random: Random): string {
  const eol = pick(random, ["\n", "\r\n"]);
  const scalar = (): string =>
    pick(random, ['"a # ]"', "'C:\\x'", "1979-05-27 07:32:00", `"""${eol}[x]\\""" """`, "'''q''''", "{}"]);
  const value = (): string => pick(random, [scalar(), `[1, ${eol} "]", # ]${eol} ]`, `{ a = ${scalar()}, "b.c" = 2 }`]);
  const keys = (): readonly string[] => some(random, ["command", "args", "url", "mine"]);
  const lines = some(random, ["k", "l"]).map((key) => `${key} = ${value()}`);
  const own = pick(random, [NAME, `"${NAME}"`, `'${NAME}'`]);
  const held = `{ ${keys().map((key) => `${key} = ${scalar()}`).join(", ")} }`;
  const form = random(5);
  if (form === 0) lines.push(`mcp_servers = { docs = {a=1}${random(2) === 0 ? "" : `, ${own} = ${held}`} } # {`);
  if (form === 1) lines.push(...keys().map((key) => `mcp_servers . ${own}.${key} = ${value()}`));
  lines.push("", "[other]", `a = ${value()}`);
  if (form === 2) lines.push("[mcp_servers]", "docs = { a = 1 }", `${own} = ${held}`);
  if (form === 3) lines.push(`[mcp_servers.${own}] # x`, ...keys().map((key) => `  ${key} = ${value()}`));
  if (form >= 3) lines.push("", "# note", `[mcp_servers.${own}.env]`, `A = ${scalar()}`, "[[list]]", "a = 1");
  return lines.map((line) => line + pick(random, ["", "", " # [y] {"]).repeat(line === "" ? 0 : 1)).join(eol);
}

/** All but what is ours, and what holds nothing. */
function restOf(root: Record<string, unknown>, servers: string): unknown {
  const { [NAME]: _, ...others } = Object(root[servers]);
  const inputs = Object.values(Object(root["inputs"])).filter((item) => Object(item).id !== "codex-swarm-token");
  return { ...root, [servers]: others, inputs };
}

interface Kind {
  readonly client: string;
  readonly servers: string;
  write(random: Random): string;
  parse(text: string): Record<string, unknown>;
}

const kinds: readonly Kind[] = [
  { client: "cursor", servers: "mcpServers", write: (random) => jsonFile(random, "mcpServers"), parse: parseJsonc },
  { client: "vscode", servers: "servers", write: (random) => jsonFile(random, "servers"), parse: parseJsonc },
  { client: "codex", servers: "mcp_servers", write: tomlFile, parse: parseToml },
];

function check(text: string, format: FileFormat, { parse, servers }: Kind): void {
  const rest = restOf(parse(text), servers);
  for (const way of WAYS) {
    const added = format.add(text, way);
    const entry = Object(Object(parse(added)[servers])[NAME]);
    const reached = way.kind === "stdio" ? [entry.command, entry.args, entry.url] : [entry.url, entry.command];
    assert.deepEqual(reached, way.kind === "stdio" ? [way.command, way.args, undefined] : [way.url, undefined]);
    assert.deepEqual(restOf(parse(added), servers), rest);
    assert.equal(format.add(added, way), added);
    const removed = format.remove(added);
    assert.equal(format.read(removed), undefined);
    assert.deepEqual(restOf(parse(removed), servers), rest);
    assert.equal(format.remove(removed), removed);
  }
}

for (const kind of kinds) {
  Deno.test(`${FILES} files of ${kind.client} that chance has written keep all that is not ours`, () => {
    const format = clientNames.get(kind.client)?.format;
    assert.ok(format !== undefined);
    for (let seed = 1; seed <= FILES; seed++) {
      const text = kind.write(seededRandom(seed));
      try {
        check(text, format, kind);
      } catch (error) {
        throw new Error(`seed ${seed}:\n${text}`, { cause: error });
      }
    }
  });
}
