import assert from "node:assert/strict";
import { join } from "node:path";
import { byLsof, whoIsIn } from "../../src/process/who_is_in.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const hasLsof = await new Deno.Command("lsof", { args: ["-v"], stderr: "null" }).output().then(() => true, () => false);

for (
  const { name, look, ignore } of [
    { name: "whoIsIn()", look: whoIsIn, ignore: Deno.build.os === "windows" },
    { name: "byLsof()", look: byLsof, ignore: !hasLsof },
  ]
) {
  Deno.test({ name: `${name} names the processes that work in a directory or below it`, ignore }, async () => {
    await using temp = await tempDirectory();
    const directory = await Deno.realPath(temp.path);
    for (const path of ["in/below", "in_not"]) await Deno.mkdir(join(directory, path), { recursive: true });
    const children = ["in", "in/below", "in_not"].map((path) =>
      new Deno.Command("cat", { cwd: join(directory, path), stdin: "piped", stdout: "null" }).spawn()
    );
    const [first, second] = children;
    assert.deepEqual((await look(join(directory, "in"))).sort(), [first?.pid, second?.pid].sort());
    for (const child of children) {
      await child.stdin.close();
      await child.status;
    }
    assert.deepEqual(await look(join(directory, "in")), []);
  });
}
