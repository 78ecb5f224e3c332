import assert from "node:assert/strict";
import { join } from "node:path";
import { Bell } from "../../src/storage/bell.ts";
import { exampleId } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test(
  { name: "Bell.ring() leaves a file that nobody else can read", ignore: Deno.build.os === "windows" },
  async () => {
    await using temp = await tempDirectory();
    await new Bell(temp.path).ring("0123abcd");
    const { mode } = await Deno.stat(join(temp.path, "0123abcd"));
    assert.equal((mode ?? 0) & 0o777, 0o600);
  },
);

Deno.test("Bell.tidy() removes what is left of tasks that are gone, and nothing else", async () => {
  await using temp = await tempDirectory();
  await new Bell(join(temp.path, "none")).tidy(() => Promise.resolve([]));
  const bell = new Bell(temp.path);
  for (const name of [exampleId(1), exampleId(2), exampleId(3), "slots"]) await bell.ring(name);
  await bell.tidy(async () => {
    // One that is made and rung for meanwhile.
    await bell.ring(exampleId(4));
    return [exampleId(2)];
  });
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path), ({ name }) => name).sort(), [
    exampleId(2),
    exampleId(4),
    "slots",
  ]);
});
