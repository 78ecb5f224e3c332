import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeExecutable } from "../helpers/executable.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const PROPOSE = fileURLToPath(new URL("../../.github/scripts/propose.sh", import.meta.url));
/** Releases are proposed on Linux. */
const ignore = Deno.build.os !== "linux";

Deno.test(
  { name: "propose.sh opens a pull request with the file, once, and never touches the main branch", ignore },
  async () => {
    await using temp = await tempDirectory();
    await using tap = await tempRepo({ files: { "README.md": "# Tap\n" } });
    const [asked, formula] = ["asked", "codex-swarm.rb"].map((name) => join(temp.path, name));
    assert.ok(asked !== undefined && formula !== undefined);
    // The GitHub CLI, as far as this needs it.
    const gh = `#!/bin/sh
if [ "$1 $2" = "repo clone" ]; then exec git clone "${tap.path}" "$4" --quiet; fi
for word; do printf '%s\\n' "$word"; done >>"${asked}"
`;
    writeExecutable(join(temp.path, "gh"), gh);
    await Deno.writeTextFile(formula, "class CodexSwarm < Formula\nend\n");
    const propose = async (version: string): Promise<string> => {
      const { success, stdout, stderr } = await new Deno.Command(PROPOSE, {
        args: ["codex-swarm/homebrew-tap", formula, "Formula/codex-swarm.rb", version],
        clearEnv: true,
        env: { PATH: `${temp.path}:${Deno.env.get("PATH") ?? ""}`, HOME: temp.path, GIT_CONFIG_NOSYSTEM: "1" },
        stdin: "null",
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    const main = await tap.git("rev-parse", "main");
    await propose("1.2.3");
    assert.equal(await tap.git("rev-parse", "main"), main);
    assert.equal(await tap.git("diff", "--name-only", "main", "codex-swarm-1.2.3"), "Formula/codex-swarm.rb");
    assert.equal(
      await tap.git("show", "codex-swarm-1.2.3:Formula/codex-swarm.rb"),
      (await Deno.readTextFile(formula)).trim(),
    );
    const words = (await Deno.readTextFile(asked)).trimEnd().split("\n");
    assert.deepEqual(words.slice(0, 8), [
      ...["pr", "create", "--repo", "codex-swarm/homebrew-tap", "--head", "codex-swarm-1.2.3", "--title"],
      "codex-swarm 1.2.3",
    ]);

    await tap.git("merge", "--quiet", "codex-swarm-1.2.3");
    assert.equal(await propose("1.2.3"), "codex-swarm/homebrew-tap has Formula/codex-swarm.rb of 1.2.3 already\n");
    assert.deepEqual((await Deno.readTextFile(asked)).trimEnd().split("\n"), words);
  },
);
