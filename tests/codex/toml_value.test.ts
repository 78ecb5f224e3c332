import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { flattenConfig, tomlValue } from "../../src/codex/toml_value.ts";
import { TaskError } from "../../src/task/errors.ts";

const values: readonly (readonly [value: unknown, toml: string])[] = [
  ["plain", '"plain"'],
  ["[1,2]", '"[1,2]"'],
  ["42", '"42"'],
  ['say "hi" \\ # = \n\t', '"say \\"hi\\" \\\\ # = \\n\\t"'],
  ["\u007f\u0001", '"\\u007f\\u0001"'],
  ["\ud800x", '"\ufffdx"'],
  ["ä😀", '"ä😀"'],
  [42, "42"],
  [-0.5, "-0.5"],
  [1e-7, "1e-7"],
  [2 ** 63, "9.223372036854776e+18"],
  [true, "true"],
  [[], "[]"],
  [[1, "a", [true]], '[1,"a",[true]]'],
  [{}, "{}"],
  [{ a: { "b.c": 1, "": "x" } }, '{a={"b.c"=1,""="x"}}'],
];

for (const [value, toml] of values) {
  Deno.test(`tomlValue() writes ${JSON.stringify(value)}`, () => {
    assert.equal(tomlValue(value), toml);
    const { key } = parse(`key = ${toml}`);
    const expected = typeof value === "string" ? value.toWellFormed() : value;
    assert.equal(JSON.stringify(key), JSON.stringify(expected));
  });
}

const broken: readonly (readonly [value: unknown, message: string])[] = [
  [null, "The value is null, which TOML cannot hold."],
  [undefined, "The value is undefined, which TOML cannot hold."],
  [NaN, "The value is NaN, which TOML cannot hold."],
  [{ a: [1, Infinity] }, 'The config value "a.1" is Infinity, which TOML cannot hold.'],
  [{ a: { b: () => 1 } }, 'The config value "a.b" is function, which TOML cannot hold.'],
  [{ at: new Date(0) }, 'The config value "at" is an object with a class of its own, which TOML cannot hold.'],
  [1n, "The value is bigint, which TOML cannot hold."],
  [["a\u0000b"], 'The config value "0" contains a NUL character.'],
];

for (const [value, message] of broken) {
  Deno.test(`tomlValue() refuses what TOML cannot hold: ${message}`, () => {
    assert.throws(() => tomlValue(value), new TaskError("invalid_argument", message));
  });
}

Deno.test("tomlValue() refuses endless nesting instead of overflowing the stack", () => {
  let nested: unknown = 1;
  for (let depth = 0; depth < 100_000; depth++) nested = [nested];
  assert.throws(() => tomlValue(nested), TaskError);
});

const configs: readonly (readonly [config: Record<string, unknown>, values: readonly string[]])[] = [
  [{}, []],
  [{ model: "o3", n: 1, on: false, list: ["a"] }, ['model="o3"', "n=1", "on=false", 'list=["a"]']],
  [{ a: { b: { c: 1 }, d: "x" } }, ["a.b.c=1", 'a.d="x"']],
  [{ "sandbox_workspace_write.network_access": true }, ["sandbox_workspace_write.network_access=true"]],
  [{ mcp_servers: { "a.b": { command: "x" }, c: { command: "y" } } }, [
    'mcp_servers={"a.b"={command="x"},c={command="y"}}',
  ]],
  [{ a: { b: { "c d": 1 }, e: 2 } }, ['a.b={"c d"=1}', "a.e=2"]],
  [{ projects: { "/p": { trust_level: "trusted" } } }, ['projects={"/p"={trust_level="trusted"}}']],
  [{ empty: {} }, ["empty={}"]],
];

for (const [config, expected] of configs) {
  Deno.test(`flattenConfig() turns ${JSON.stringify(config)} into -c values`, () => {
    assert.deepEqual(flattenConfig(config), expected);
  });
}

for (const key of ['a."b.c"', "a b", "", "a..b", "--yolo", "a=b"]) {
  Deno.test(`flattenConfig() refuses the key ${JSON.stringify(key)}`, () => {
    assert.throws(
      () => flattenConfig({ [key]: 1 }),
      (error) => error instanceof TaskError && error.code === "invalid_argument" && error.message.includes(`"${key}"`),
    );
  });
}

Deno.test("flattenConfig() names the place of what TOML cannot hold", () => {
  assert.throws(
    () => flattenConfig({ a: { b: null } }),
    new TaskError("invalid_argument", 'The config value "a.b" is null, which TOML cannot hold.'),
  );
});
