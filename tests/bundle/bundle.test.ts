import assert from "node:assert/strict";
import { join } from "node:path";
import { bundle } from "../../.github/scripts/bundle.ts";
import { answersStdio } from "../helpers/program_checks.ts";
import { bundled } from "../helpers/program_forms.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "the bundled program does what its sources do",
  ignore,
  async fn(): Promise<void> {
    await using directory = await tempDirectory();
    const form = await bundled(directory.path);
    // tests/binary/ has the other checks.
    await answersStdio(form);
    // A bundle has every static import at its top, those of files that only some starts need, too; others take long.
    const builtins = new Set(
      [...(await Deno.readTextFile(form.file)).matchAll(/\bfrom ?"(node:[\w/]+)"/g)].map(([, name]) => name),
    );
    assert.deepEqual([...builtins].sort(), ["node:buffer", "node:path", "node:process", "node:util"]);
  },
});

Deno.test({ name: "a bundle disposes of whatever its sources do", ignore }, async () => {
  await using directory = await tempDirectory();
  const [source, file] = ["source.ts", "bundle.js"].map((name) => join(directory.path, name));
  assert.ok(source !== undefined && file !== undefined);
  const program = `
    function open(): Disposable & { read(): string } {
      return { read: () => "read", [Symbol.dispose]: () => console.log("disposed") };
    }
    async function readOnce(): Promise<boolean> {
      using file = await Promise.resolve(open());
      return file.read() === "";
    }
    console.log(await readOnce());
  `;
  await Deno.writeTextFile(source, program);
  await bundle(file, source);
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", "--no-config", file] })
    .output();
  assert.equal(new TextDecoder().decode(stdout), "disposed\nfalse\n");
});
