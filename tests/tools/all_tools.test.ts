/** Rules that hold for every tool. */
import assert from "node:assert/strict";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { listTool } from "../../src/server/list_tool.ts";
import { tools } from "../../src/tools/mod.ts";

const MAX_TOKENS = 4_000;
/** The second name of one tool. */
const ALIASES = new Set(["codex-reply"]);

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly description?: string;
}

const listed = tools.map(listTool);

Deno.test("tools have unique names, each with a file of its name", async () => {
  const names = tools.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const name of names.filter((name) => !ALIASES.has(name))) {
    const source = await Deno.readTextFile(new URL(`../../src/tools/${name}.ts`, import.meta.url));
    assert.ok(source.includes(`name: "${name}"`), name);
  }
});

Deno.test("tools describe every field of their input and output", () => {
  for (const { name, description, inputSchema, outputSchema } of listed) {
    assert.ok((description ?? "").length > 20, name);
    for (const [part, schema] of Object.entries({ inputSchema, outputSchema })) {
      assert.deepEqual(undescribed(JSON.parse(JSON.stringify(schema))), [], `${name} ${part}`);
    }
  }
});

function undescribed({ properties = {}, items }: Schema): string[] {
  const within = items === undefined ? [] : undescribed(items);
  return Object.entries(properties).flatMap(([name, schema]) => [
    ...(schema.description === undefined ? [name] : []),
    ...undescribed(schema).map((inner) => `${name}.${inner}`),
  ]).concat(within);
}

Deno.test("tools have plain objects as schemas", () => {
  for (const { name, inputSchema, outputSchema } of listed) {
    for (const schema of [inputSchema, outputSchema ?? {}]) {
      assert.equal("type" in schema && schema.type, "object", name);
      for (const word of ["anyOf", "oneOf", "allOf", "$schema", "$ref"]) {
        assert.ok(!(word in schema), `${name}: ${word}`);
      }
    }
    // An answer with a field more must never be refused by a client that checks it.
    assert.notEqual(outputSchema?.["additionalProperties"], false, name);
  }
});

Deno.test("tools have a title and all four annotations", () => {
  for (const { name, title, annotations } of listed) {
    const { title: annotated, ...hints } = annotations ?? {};
    assert.ok(title !== undefined && annotated === title, name);
    assert.deepEqual(Object.keys(hints).toSorted(), [
      "destructiveHint",
      "idempotentHint",
      "openWorldHint",
      "readOnlyHint",
    ]);
    for (const hint of Object.values(hints)) assert.equal(typeof hint, "boolean", name);
  }
});

Deno.test("tools cost a model few tokens", () => {
  const shown = listed.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
  const tokens = encode(JSON.stringify(shown)).length;
  assert.ok(tokens <= MAX_TOKENS, `${tokens} tokens`);
});

for (const tool of listed) {
  Deno.test(`${tool.name} looks to clients as recorded`, async (t) => {
    await t.assertSnapshot(tool, { path: `../snapshots/tools/${tool.name}.snap`, name: tool.name });
  });
}
