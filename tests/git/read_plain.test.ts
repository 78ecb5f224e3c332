import assert from "node:assert/strict";
import { join } from "node:path";
import { readPlain } from "../../src/git/read_plain.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ignore = Deno.build.os === "windows";

Deno.test({ name: "readPlain() reads files, waits for no pipe, and reads no device", ignore }, async () => {
  await using directory = await tempDirectory();
  const at = (name: string): string => join(directory.path, name);
  await Deno.writeTextFile(at("file"), "text");
  const made = await new Deno.Command("mkfifo", { args: [at("pipe")] }).output();
  assert.ok(made.success);
  for (const [to, name] of [["pipe", "to_pipe"], ["/dev/zero", "to_device"]] as const) await Deno.symlink(to, at(name));
  const read = async (name: string, maxBytes = 100): Promise<string | null> => {
    const bytes = await readPlain(at(name), { maxBytes });
    return bytes === null ? null : new TextDecoder().decode(bytes);
  };
  assert.equal(await read("file"), "text");
  assert.equal(await read("file", 3), null);
  for (const name of ["pipe", "to_pipe", "to_device", "absent", "."]) assert.equal(await read(name), null, name);
});
