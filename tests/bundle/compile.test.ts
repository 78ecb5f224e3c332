import assert from "node:assert/strict";
import { join } from "node:path";
import { compile } from "../../.github/scripts/compile.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("compile() says in one line why no base runtime came and what to do", async () => {
  await using directory = await tempDirectory();
  const bundle = join(directory.path, "program.js");
  await Deno.writeTextFile(bundle, "");
  // Port 9 discards or refuses, and the empty cache holds no base runtime.
  const nowhere = "http://127.0.0.1:9";
  const env = { DENO_DIR: join(directory.path, "cache"), DENORT_BIN: "", HTTPS_PROXY: nowhere, https_proxy: nowhere };
  const error = await compile({ bundle, output: join(directory.path, "program"), env }).then(
    () => new Error("it compiled"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  assert.match(error.message, /^Cannot compile: .*denort.*\. Set DENORT_BIN .* `deno task bundle`\.$/);
});
