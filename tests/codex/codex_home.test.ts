import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { readCodexConfig } from "../../src/codex/codex_home.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

/** A Codex home and a repository with a folder in it, described by the files that a test puts there. */
async function layOut(root: string, files: Readonly<Record<string, string>>): Promise<{
  readonly codexHome: string;
  readonly cwd: string;
  readonly repository: { readonly top: string; readonly commonDir: string };
  readonly serverConfig: readonly string[];
  readonly systemFile: string;
}> {
  for (const [name, text] of Object.entries(files)) {
    await write(join(root, name), text.replaceAll("ROOT", root.replaceAll("\\", "\\\\")));
  }
  const cwd = join(root, "repo/sub");
  await Deno.mkdir(cwd, { recursive: true });
  return {
    codexHome: join(root, "home"),
    cwd,
    repository: { top: join(root, "repo"), commonDir: join(root, "repo/.git") },
    serverConfig: [],
    systemFile: join(root, "etc/config.toml"),
  };
}

const TRUSTED = '[projects."ROOT/repo"]\ntrust_level = "trusted"\n';

Deno.test("readCodexConfig() takes a missing configuration for an empty one", async () => {
  await using temp = await tempDirectory();
  const facts = await readCodexConfig(await layOut(temp.path, {}));
  assert.deepEqual(facts.sandbox, { mode: "read-only", source: "Codex default", network: false });
  assert.deepEqual(facts.notes, []);
});

Deno.test("readCodexConfig() orders system, user, profile, project and the server's own", async () => {
  await using temp = await tempDirectory();
  const options = await layOut(temp.path, {
    "etc/config.toml": 'model = "system"\nmodel_reasoning_effort = "low"\n',
    "home/config.toml": `model = "user"\n${TRUSTED}`,
    "home/work.config.toml": 'model = "profile"\nsandbox_mode = "read-only"\n',
  });
  assert.equal((await readCodexConfig(options)).model, "user");
  assert.equal((await readCodexConfig(options)).reasoningEffort, "low");
  const profile = await readCodexConfig({ ...options, profile: "work" });
  assert.deepEqual([profile.model, profile.sandbox.source], ["profile", "profile"]);
  await write(join(temp.path, "repo/.codex/config.toml"), 'model = "top"\nsandbox_mode = "danger-full-access"\n');
  await write(join(temp.path, "repo/sub/.codex/config.toml"), 'model = "sub"\n');
  const project = await readCodexConfig({ ...options, profile: "work" });
  assert.deepEqual([project.model, project.sandbox.mode], ["sub", "danger-full-access"]);
  const server = await readCodexConfig({ ...options, serverConfig: ["model=server", "sandbox_mode=read-only"] });
  assert.deepEqual([server.model, server.sandbox.source], ["server", "server config"]);
  const call = await readCodexConfig({ ...options, serverConfig: ["model=server"], callConfig: ['model="call"'] });
  assert.equal(call.model, "call");
});

Deno.test("readCodexConfig() leaves out a project's files unless the project is trusted", async () => {
  await using temp = await tempDirectory();
  const options = await layOut(temp.path, {
    "home/config.toml": TRUSTED.replace("trusted", "untrusted"),
    "repo/.codex/config.toml": 'model = "project"\n',
  });
  const facts = await readCodexConfig(options);
  assert.deepEqual([facts.model, facts.trust, facts.sandbox.mode], [null, "untrusted", "workspace-write"]);
});

Deno.test("readCodexConfig() trusts a linked worktree like its main one", async () => {
  await using temp = await tempDirectory();
  const options = await layOut(temp.path, { "home/config.toml": TRUSTED, "linked/.git": "gitdir: x\n" });
  const facts = await readCodexConfig({
    ...options,
    cwd: join(temp.path, "linked"),
    repository: { top: join(temp.path, "linked"), commonDir: join(temp.path, "repo/.git") },
  });
  assert.equal(facts.trust, "trusted");
  const outside = await readCodexConfig({ ...options, cwd: temp.path, repository: null });
  assert.equal(outside.trust, null);
});

Deno.test("readCodexConfig() notes a file that it cannot read", async () => {
  await using temp = await tempDirectory();
  const options = await layOut(temp.path, { "home/config.toml": "model = \n", "home/work.config.toml": 'model = "w"' });
  const facts = await readCodexConfig({ ...options, profile: "work" });
  assert.equal(facts.model, "w");
  assert.equal(facts.notes.length, 1);
  assert.match(facts.notes[0] ?? "", /^Cannot read .*config\.toml: /);
});

Deno.test("readCodexConfig() reads profiles as older versions had them", async () => {
  await using temp = await tempDirectory();
  const options = await layOut(temp.path, { "home/config.toml": 'model = "u"\n[profiles.old]\nmodel = "o"\n' });
  assert.equal((await readCodexConfig({ ...options, profile: "old" })).model, "o");
  assert.equal((await readCodexConfig(options)).model, "u");
});
