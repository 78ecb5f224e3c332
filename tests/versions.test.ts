import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../deno.json" with { type: "json" };

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

/** `.ci/run` with its variable written out. */
async function ciCommands(version: string): Promise<string> {
  const text = await Deno.readTextFile(join(ROOT, ".ci/run"));
  assert.equal(text.split(version).length, 2, ".ci/run names the version in one place only");
  return text.replaceAll('"deno@$DENO_VERSION"', `deno@${version}`);
}

Deno.test(".ci/run runs the two commands of README", async () => {
  const version = await denoVersion();
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  const commands = [...readme.matchAll(/^npx -y deno@\S+ task (?:demo|test)\b/gm)].map(([command]) => command);
  assert.equal(commands.length, 2);
  const steps = await ciCommands(version);
  for (const command of commands) assert.match(steps, new RegExp(`^step "\\w+" ${command}$`, "m"));
});

async function denoVersion(): Promise<string> {
  const version = /^DENO_VERSION=(.+)$/m.exec(await Deno.readTextFile(join(ROOT, ".ci/run")))?.[1];
  assert.ok(version !== undefined);
  return version;
}

Deno.test("all that names Deno's version names the one of .ci/run", async () => {
  const version = await denoVersion();
  const named: string[] = [];
  for (const path of ["README.md", ...await textFiles(".ci"), ...await textFiles(".github")]) {
    const text = path === join(".ci", "run") ? await ciCommands(version) : await Deno.readTextFile(join(ROOT, path));
    for (const [mention, found] of text.matchAll(/\bdeno@(\d[\w.-]*\w)/g)) {
      assert.equal(found, version, `${path} says ${mention}`);
      named.push(path);
    }
  }
  for (const path of ["README.md", join(".ci", "run"), join(".github", "workflows", "ci.yml")]) {
    assert.ok(named.includes(path), path);
  }
});

Deno.test("nothing but the packages of deno.lock is used, in `deno task ok` as in CI", () => {
  assert.equal(manifest.lock.frozen, true);
});

Deno.test("workflows pin each action by a full commit hash, the same one everywhere", async () => {
  const pins = new Map<string, string>();
  for (const path of await textFiles(join(".github", "workflows"))) {
    const text = await Deno.readTextFile(join(ROOT, path));
    for (const [line, action = "", pin = ""] of text.matchAll(/^ *-? *uses: ([^@\s]+)(.*)$/gm)) {
      assert.match(action, /^[\w-]+\/[\w-]+$/, line);
      assert.match(pin, /^@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
      assert.equal(pins.get(action) ?? pin, pin, line);
      pins.set(action, pin);
    }
  }
  assert.equal(pins.size, 5);
});
