import assert from "node:assert/strict";
import { parse } from "smol-toml";
import type { Connection } from "../../../src/cli/install/client.ts";
import { InstallError } from "../../../src/cli/install/install_error.ts";
import { tomlFormat } from "../../../src/cli/install/toml_format.ts";
import { scanToml } from "../../../src/cli/install/toml_scan.ts";

const STDIO: Connection = { kind: "stdio", command: "/x", args: [] };
const HTTP: Connection = { kind: "http", url: "http://h/mcp", hasToken: true };

const format = tomlFormat({
  servers: "s",
  entry: (connection) => ({
    owned: connection.kind === "stdio" ? { cmd: connection.command } : { url: connection.url },
    defaults: { time: 9 },
    foreign: connection.kind === "stdio" ? ["url"] : ["cmd", "env"],
  }),
  remarks: { time: "long" },
});

const table: readonly { readonly name: string; readonly before: string; readonly after: string }[] = [
  {
    name: "replaces its own keys in a table, adds the missing one, and keeps the user's",
    before: '[s.codex-swarm]\nmine = 1 # one\ncmd = "/old" # two\n\n# of b\n[s.b]\ncmd = "b"\n',
    after: '[s.codex-swarm]\nmine = 1 # one\ncmd = "/x" # two\ntime = 9 # long\n\n# of b\n[s.b]\ncmd = "b"\n',
  },
  {
    name: "leaves a setting that the user has chosen otherwise",
    before: "[s.\"codex-swarm\"]\r\n'cmd' = '/x'\r\ntime = 1\r\n[s.codex-swarm.env]\r\nA = 'b'\r\n",
    after: "[s.\"codex-swarm\"]\r\n'cmd' = '/x'\r\ntime = 1\r\n[s.codex-swarm.env]\r\nA = 'b'\r\n",
  },
  {
    name: "adds to a table of which only a part is there",
    before: 'a = 1\n\n[s.codex-swarm.env]\nA = "b"',
    after: 'a = 1\n\n[s.codex-swarm]\ncmd = "/x"\ntime = 9 # long\n\n[s.codex-swarm.env]\nA = "b"',
  },
  {
    name: "goes on in dotted keys",
    before: 's.codex-swarm.cmd = "/old"\ns.codex-swarm.env.A = "b" # one\na = 1\n',
    after: 's.codex-swarm.cmd = "/x"\ns.codex-swarm.env.A = "b" # one\ns.codex-swarm.time = 9 # long\na = 1\n',
  },
  {
    name: "goes on in dotted keys of a table",
    before: '  [ s ]\n  "codex-swarm" . cmd = "/old"\n  a = 1',
    after: '  [ s ]\n  "codex-swarm" . cmd = "/x"\n  codex-swarm.time = 9 # long\n  a = 1',
  },
  {
    name: "goes on in an inline table",
    before: '[s]\ncodex-swarm = { cmd = "/old", env = { A = "}" } } # one\n',
    after: '[s]\ncodex-swarm = { cmd = "/x", env = { A = "}" }, time = 9 } # one\n',
  },
  {
    name: "goes into an inline table that holds nothing",
    before: "s = {}\na = 1\n",
    after: 's = { codex-swarm = { cmd = "/x", time = 9 } }\na = 1\n',
  },
  {
    name: "takes no text for a table",
    before: 'a = """\n[s.codex-swarm]\n\\"""" # x\nb = [ "]", \'[s.codex-swarm]\', # ]\n]\n',
    after:
      'a = """\n[s.codex-swarm]\n\\"""" # x\nb = [ "]", \'[s.codex-swarm]\', # ]\n]\n\n[s.codex-swarm]\ncmd = "/x"\ntime = 9 # long\n',
  },
];

for (const { name, before, after } of table) {
  Deno.test(`tomlFormat() ${name}`, () => {
    parse(before);
    assert.equal(format.add(before, STDIO), after);
    assert.equal(format.add(after, STDIO), after);
  });
}

Deno.test("tomlFormat() removes with the old way what the new one cannot have beside it", () => {
  const before = 'a = 1\n[s.codex-swarm]\ncmd = "/x"\ntime = 3\n\n[s.codex-swarm.env]\nA = "b"\n\n[z]\n';
  const http = 'a = 1\n[s.codex-swarm]\ntime = 3\nurl = "http://h/mcp"\n\n[z]\n';
  assert.equal(format.add(before, HTTP), http);
  const inline = 's.codex-swarm = { cmd = "/x", env = { A = "b" }, time = 3 }';
  assert.equal(format.add(inline, HTTP), 's.codex-swarm = { time = 3, url = "http://h/mcp" }');
});

Deno.test("tomlFormat() removes an entry in each way of writing it", () => {
  const rest = 'a = 1\n\n[s.b]\ncmd = "b"\n';
  const block = '[s.codex-swarm]\ncmd = "/x" # one\n# two\ntime = 1\n\n[s."codex-swarm".env]\nA = "b"\n';
  assert.equal(format.remove(`${rest}\n${block}`), rest);
  assert.equal(format.remove(`a = 1\n\n${block}\n[s.b]\ncmd = "b"\n`), rest);
  assert.equal(format.remove(`${block}\n# of b\n[b]\n`), "\n# of b\n[b]\n");
  assert.equal(format.remove('s.codex-swarm.cmd = "/x"\ns.codex-swarm.time = 1\na = 1\n'), "a = 1\n");
  assert.equal(format.remove('[s]\ncodex-swarm = { cmd = "/x" }\nb = 1\n'), "[s]\nb = 1\n");
  assert.equal(format.remove('s = { codex-swarm = { cmd = "/x" }, b = 1 }'), "s = { b = 1 }");
  assert.equal(format.remove('s = { b = 1, codex-swarm.cmd = "/x", codex-swarm.time = 1 }'), "s = { b = 1 }");
  assert.equal(format.remove("[codex-swarm]\na = 1\n"), "[codex-swarm]\na = 1\n");
});

Deno.test("tomlFormat() says where a file cannot be read, and refuses what it cannot change safely", () => {
  const refusal = (text: string): string => {
    try {
      return format.add(text, STDIO);
    } catch (error) {
      assert.ok(error instanceof InstallError, `${error}`);
      return error.message;
    }
  };
  assert.match(refusal("a = 1\nb = = 2\n"), /^it is not TOML at line 2, column \d+: \w/);
  assert.match(refusal("a = 1\na = 2\n"), /^it is not TOML at line 2, column \d+: \w/);
  assert.equal(refusal("s = 1"), '"s" is not a table in it');
  assert.equal(refusal("[[s.codex-swarm]]\n"), '"s.codex-swarm" is not a table in it');
  assert.equal(
    refusal('s = { codex-swarm.cmd = "/x" }'),
    "changing only our entry in it did not work out",
  );
});

Deno.test("scanToml() finds every statement, whatever stands in the values", () => {
  const text = [
    "a.'b c'.\"d\\u0065\" = '''it''s''''",
    '[ x . "y.z" ] # [no]',
    'k = [ [1, 2], { m = """"q"""", n.o = 1979-05-27 07:32:00 }, ]',
    "[[l]]",
    'e = ""',
    "[[l]]",
    'f = {a = 1, b = { c = "},", }}',
  ].join("\r\n");
  const paths = scanToml(text).map((
    { kind, path, members },
  ) => [kind, path.join("|"), members?.map((m) => m.path.join("|"))]);
  assert.deepEqual(paths, [
    ["pair", "a|b c|de", undefined],
    ["table", "x|y.z", undefined],
    ["pair", "x|y.z|k", undefined],
    ["list of tables", "l", undefined],
    ["pair", "l|e", undefined],
    ["list of tables", "l", undefined],
    ["pair", "l|f", ["l|f|a", "l|f|b"]],
  ]);
});
