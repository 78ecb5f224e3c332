/** Compiles the program, with `DENORT_BIN` and `DENO_COMPILE` if they are set, and runs it. */
import { join } from "node:path";
import { bundle } from "../../.github/scripts/bundle.ts";
import { compile } from "../../.github/scripts/compile.ts";
import { smoke } from "../bundle/smoke.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("the compiled program does what its sources do", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "codex-swarm.js");
  const program = join(directory.path, "codex-swarm");
  await bundle(file);
  await compile({ bundle: file, output: program });
  await smoke([Deno.build.os === "windows" ? `${program}.exe` : program]);
});
