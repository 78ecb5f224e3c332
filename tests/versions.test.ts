import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

async function textFiles(directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = join(directory, name);
    if (isDirectory) paths.push(...await textFiles(path));
    else paths.push(path);
  }
  return paths;
}

Deno.test("all that names Deno's version names the one of .ci/run", async () => {
  const version = /^DENO_VERSION=(.+)$/m.exec(await Deno.readTextFile(join(ROOT, ".ci/run")))?.[1];
  assert.ok(version !== undefined);
  const named: string[] = [];
  for (const path of ["README.md", ...await textFiles(".ci"), ...await textFiles(".github")]) {
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const [mention, found] of text.matchAll(/\bdeno@(\d[\w.-]*\w)/g)) {
      assert.equal(found, version, `${path} says ${mention}`);
      named.push(path);
    }
  }
  for (const path of ["README.md", join(".ci", "run"), join(".github", "workflows", "ci.yml")]) {
    assert.ok(named.includes(path), path);
  }
});

Deno.test("workflows pin each action by a full commit hash", async () => {
  for (const path of await textFiles(join(".github", "workflows"))) {
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const [line, action] of text.matchAll(/^ *-? *uses: (\S+).*$/gm)) {
      assert.match(action ?? "", /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, line);
    }
  }
});
