import assert from "node:assert/strict";
import { join } from "node:path";
import { VERSION } from "../../.github/scripts/release_names.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";
import { compiledProgram } from "../helpers/program_forms.ts";
import { makeRelease, serveReleases } from "../helpers/release_page.ts";
import { runInstaller } from "../helpers/run_installer.ts";
import { startSwarm } from "../helpers/swarm.ts";

Deno.test({
  name: "install.sh brings the compiled program from a release page to where it serves",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using home = await tempDirectory();
    await using made = await tempDirectory();
    const release = await makeRelease(VERSION, await Deno.readFile(await compiledProgram(made.path)));
    await using page = await serveReleases({ [VERSION]: release });
    const { code, stderr } = await runInstaller({ home: home.path, base: page.base });
    assert.equal(code, 0, stderr);
    const directory = join(home.path, ".local", "bin");
    assert.deepEqual(namesIn(directory), ["codex-swarm"]);
    await using swarm = await startSwarm({ command: [join(directory, "codex-swarm")] });
    const { structured } = await swarm.call("codex", { prompt: "fake:say(installed)" });
    assert.equal(structured.content, "installed");
  },
});
