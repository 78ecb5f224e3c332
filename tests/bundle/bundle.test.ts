import { join } from "node:path";
import { bundle } from "../../.github/scripts/bundle.ts";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { smoke } from "./smoke.ts";

Deno.test({
  name: "the bundled program does what its sources do",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using directory = await tempDirectory();
    const file = join(directory.path, "codex-swarm.js");
    await bundle(file);
    await smoke([Deno.execPath(), "run", "--quiet", "--no-config", "--no-lock", ...RUN_FLAGS, file]);
  },
});
