import assert from "node:assert/strict";
import { join } from "node:path";
import { hasNewerFile } from "../../src/process/newer_file.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";
const PATH = Deno.env.get("PATH") ?? "";
const LONG_AGO = new Date(Date.now() - 60_000);

Deno.test({ name: "hasNewerFile() finds what has changed, git's and packages' own files aside", ignore }, async () => {
  await using temp = await tempDirectory();
  for (const name of [".git", "node_modules", "src"]) await Deno.mkdir(join(temp.path, name));
  const hasChanged = (): Promise<boolean | null> => hasNewerFile(temp.path, LONG_AGO, { PATH });
  assert.equal(await hasChanged(), false);
  for (const name of [".git", "node_modules"]) await Deno.writeTextFile(join(temp.path, name, "new"), "");
  assert.equal(await hasChanged(), false);
  await Deno.writeTextFile(join(temp.path, "src", "new"), "");
  assert.equal(await hasChanged(), true);
});

for (
  const { what, script, expected } of [
    { what: "cannot look into a directory", script: "exit 1", expected: null },
    { what: "cannot look into a directory and finds a change beside it", script: "echo ./new; exit 1", expected: true },
    { what: "finds nothing", script: "exit 0", expected: false },
  ]
) {
  Deno.test({ name: `hasNewerFile() gives ${expected} where find(1) ${what}`, ignore }, async () => {
    await using temp = await tempDirectory();
    writeExecutable(join(temp.path, "find"), `#!/bin/sh\n${script}\n`);
    assert.equal(await hasNewerFile("/", LONG_AGO, { PATH: `${temp.path}:${PATH}` }), expected);
  });
}

Deno.test({ name: "hasNewerFile() gives null where there is nothing to look through, or with", ignore }, async () => {
  await using temp = await tempDirectory();
  assert.equal(await hasNewerFile(join(temp.path, "none"), LONG_AGO, { PATH }), null);
  assert.equal(await hasNewerFile(temp.path, LONG_AGO, { PATH: temp.path }), null);
});
