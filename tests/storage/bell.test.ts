import assert from "node:assert/strict";
import { join } from "node:path";
import { Bell } from "../../src/storage/bell.ts";
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
