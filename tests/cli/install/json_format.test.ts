import assert from "node:assert/strict";
import type { Connection } from "../../../src/cli/install/client.ts";
import { clientNames } from "../../../src/cli/install/clients.ts";
import { InstallError } from "../../../src/cli/install/install_error.ts";
import { jsonFormat } from "../../../src/cli/install/json_format.ts";

const STDIO: Connection = { kind: "stdio", command: "/x", args: [] };
const HTTP: Connection = { kind: "http", url: "http://h/mcp", hasToken: true };

/** A form with one key, so that what is expected is short. */
const format = jsonFormat({
  servers: "s",
  entry: (connection) => ({
    owned: connection.kind === "stdio" ? { cmd: connection.command } : { url: connection.url, headers: { A: "t" } },
    foreign: connection.kind === "stdio" ? ["url", "headers"] : ["cmd"],
  }),
});

const table: readonly { readonly name: string; readonly before: string; readonly after: string }[] = [
  {
    name: "keeps remarks on the lines that they stand on",
    before: '{\n  "s": {\n    "a": 1 // one\n    // two\n  } // three\n}\n',
    after:
      '{\n  "s": {\n    "a": 1, // one\n    // two\n    "codex-swarm": {\n      "cmd": "/x"\n    }\n  } // three\n}\n',
  },
  {
    name: "adds what holds the servers behind what else there is",
    before: '{\n  "a": 1 // one\n}',
    after: '{\n  "a": 1, // one\n  "s": {\n    "codex-swarm": {\n      "cmd": "/x"\n    }\n  }\n}',
  },
  {
    name: "writes no second comma behind one that stands in front of a remark",
    before: '{ "s": {\n\t"a": 1 /* , */ , // ,\n} }',
    after: '{ "s": {\n\t"a": 1 /* , */ , // ,\n\t"codex-swarm": {\n\t\t"cmd": "/x"\n\t},\n} }',
  },
  {
    name: "stays on the line in a file of one line",
    before: '{"s":{"a":{"b":1}},"c":[]}',
    after: '{"s":{"a":{"b":1},"codex-swarm":{"cmd":"/x"}},"c":[]}',
  },
  {
    name: "replaces only its own keys in an entry that is there",
    before: '{"s": {\n  "codex-swarm": { "env": { "A": "b" }, "cmd": "/old", "url": "u" }, // mine\n  "b": 2 } }',
    after: '{"s": {\n  "codex-swarm": { "env": { "A": "b" }, "cmd": "/x" }, // mine\n  "b": 2 } }',
  },
  {
    name: "finds keys however they are written",
    before: '{"\\u0073": {"codex\\u002dswarm": {"cmd": "/old"}}}',
    after: '{"\\u0073": {"codex\\u002dswarm": {"cmd": "/x"}}}',
  },
];

for (const { name, before, after } of table) {
  Deno.test(`jsonFormat() ${name}`, () => {
    assert.equal(format.add(before, STDIO), after);
    assert.equal(format.add(after, STDIO), after);
  });
}

Deno.test("jsonFormat() keeps headers that a user has added, and drops all with the way that needs them", () => {
  const before = '{"s": {"codex-swarm": {"url": "old", "headers": {"A": "old", "B": "mine"}}}}';
  const http = format.add(before, HTTP);
  assert.equal(http, '{"s": {"codex-swarm": {"url": "http://h/mcp", "headers": {"A": "t", "B": "mine"}}}}');
  assert.deepEqual(JSON.parse(format.add(http, STDIO)), { s: { "codex-swarm": { cmd: "/x" } } });
});

Deno.test("jsonFormat() removes an entry wherever it stands among others", () => {
  const removed = (text: string): string => format.remove(text);
  assert.equal(removed('{"s":{"codex-swarm":{},"a":1}}'), '{"s":{"a":1}}');
  assert.equal(removed('{"s":{"a":1,"codex-swarm":{},"b":2}}'), '{"s":{"a":1,"b":2}}');
  assert.equal(removed('{"s": {"a": 1, "codex-swarm": {}}}'), '{"s": {"a": 1}}');
  assert.equal(removed('{"s": {"codex-swarm": {}}, "a": 1}'), '{"a": 1}');
  assert.equal(
    removed('{\n  "s": {\n    // of ours\n    "codex-swarm": {\n    }, // more\n    "a": 1,\n  }\n}'),
    '{\n  "s": {\n    // of ours\n    // more\n    "a": 1,\n  }\n}',
  );
  assert.equal(removed('{"s": {"a": 1 /*,*/, /* x */ "codex-swarm": {}}}'), '{"s": {"a": 1 /*,*/ /* x */}}');
  assert.equal(removed('{"codex-swarm": 1}'), '{"codex-swarm": 1}');
});

Deno.test("VS Code's question for the token stays while anything else asks it", () => {
  const vscode = clientNames.get("vscode")?.format;
  assert.ok(vscode !== undefined);
  const mine = '{"servers": {"a": {"token": "${input:codex-swarm-token}"}}}';
  const installed = vscode.add(mine, HTTP);
  const { inputs, servers } = JSON.parse(vscode.remove(installed));
  assert.deepEqual(Object.keys(servers), ["a"]);
  assert.equal(inputs.length, 1);
  const worded = installed.replace("The token of codex-swarm", "Well?");
  assert.equal(vscode.add(worded, HTTP), worded);
  assert.equal(JSON.parse(vscode.add(worded.replace(/"a": \{.*?\},/, ""), STDIO)).inputs, undefined);
});

Deno.test("jsonFormat() says where a file cannot be read, and what in it is not as it should be", () => {
  const refusal = (text: string): string => {
    try {
      return format.add(text, STDIO);
    } catch (error) {
      assert.ok(error instanceof InstallError, `${error}`);
      return error.message;
    }
  };
  assert.equal(refusal('{\n  "s": {\n    "a" 1\n  }\n}'), "it is not JSON at line 3, column 9: colon expected");
  assert.equal(refusal('{"s": {}'), "it is not JSON at line 1, column 9: close brace expected");
  assert.equal(refusal("{} {}"), "it is not JSON at line 1, column 4: end of file expected");
  assert.equal(refusal("// nothing\n"), "it is not JSON at line 2, column 1: value expected");
  assert.equal(refusal("[]"), "it does not hold a JSON object");
  assert.equal(refusal('{"s": []}'), '"s" is not an object in it');
  assert.equal(refusal('{"s": {"codex-swarm": null}}'), '"s.codex-swarm" is not an object in it');
  assert.equal(refusal('{"s": {},\n "s": {}}'), '"s" stands in it twice, at line 2, column 2 too');
});
