import assert from "node:assert/strict";
import { join } from "node:path";
import { installShim } from "../../src/storage/install_shim.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("installShim() writes the shim and the keeper that fits it, once", async () => {
  await using place = await tempDirectory();
  const path = await installShim(place.path);
  const version = /shim-([0-9a-f]{12})\.sh$/.exec(path)?.[1];
  const names = Array.from(Deno.readDirSync(place.path), ({ name }) => name).sort();
  assert.deepEqual(names, [`keeper-${version}.sh`, `shim-${version}.sh`]);
  const before = await Deno.stat(path);
  assert.equal(await installShim(place.path), path);
  assert.deepEqual(await Deno.stat(path), { ...before, atime: (await Deno.stat(path)).atime });
});

Deno.test("installShim() mends what is damaged", async () => {
  await using place = await tempDirectory();
  const path = await installShim(place.path);
  const keeper = join(place.path, path.slice(place.path.length + 1).replace("shim-", "keeper-"));
  const text = await Deno.readTextFile(keeper);
  await Deno.writeTextFile(keeper, text.slice(0, 100));
  await installShim(place.path);
  assert.equal(await Deno.readTextFile(keeper), text);
});
