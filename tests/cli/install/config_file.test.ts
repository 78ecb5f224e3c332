import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { readConfigFile, replaceConfigFile } from "../../../src/cli/install/config_file.ts";
import { InstallError } from "../../../src/cli/install/install_error.ts";
import { type ClientYard, clientYard, readText, RUNNING, type Told, USUAL } from "../../helpers/client_yard.ts";
import { namesIn } from "../../helpers/temp_directory.ts";
import { waitFor } from "../../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const HTTP = { address: USUAL, endpoints: [RUNNING] } as const;
const MODE = 0o7777;

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & MODE;
}

Deno.test("a backup is kept for each change, none is overwritten, and none is kept twice", async () => {
  await using yard = await clientYard();
  const first = '{"a": 1}\n';
  const path = await yard.write("cursor", first);
  const backup = (number: string): string => `${path}.codex-swarm-backup${number}`;
  assert.match(
    (await yard.install("cursor")).output,
    /What it held before is kept in \S+\/mcp\.json\.codex-swarm-backup\.\n/,
  );
  const second = await readText(path);
  assert.match((await yard.install("cursor", HTTP)).output, /codex-swarm-backup\.1\.\n/);
  await yard.uninstall("cursor");
  assert.equal(await readText(path), first);
  await yard.install("cursor");
  assert.equal(await readText(backup("")), first);
  assert.equal(await readText(backup(".1")), second);
  assert.deepEqual(namesIn(dirname(path)), [
    "mcp.json",
    "mcp.json.codex-swarm-backup",
    "mcp.json.codex-swarm-backup.1",
    "mcp.json.codex-swarm-backup.2",
  ]);
});

Deno.test({ name: "the file keeps its mode, and its backup has it too", ignore }, async () => {
  await using yard = await clientYard();
  const path = await yard.write("codex", "a = 1\n");
  for (const mode of [0o640, 0o600, 0o755]) {
    await Deno.chmod(path, mode);
    await yard.install("codex");
    assert.equal(modeOf(path), mode);
    assert.equal(modeOf(`${path}.codex-swarm-backup`), mode);
    await yard.uninstall("codex");
    assert.equal(modeOf(path), mode);
    await Deno.remove(`${path}.codex-swarm-backup`);
    await Deno.remove(`${path}.codex-swarm-backup.1`);
  }
});

Deno.test(
  { name: "a new file in the home directory is for its owner only, one in a project for all", ignore },
  async () => {
    await using yard = await clientYard();
    await yard.install("codex");
    await yard.install("vscode");
    assert.equal(modeOf(yard.file("codex")), 0o600);
    assert.equal(modeOf(dirname(yard.file("codex"))), 0o700);
    assert.equal(modeOf(yard.file("vscode")), 0o666 & ~Deno.umask());
  },
);

Deno.test({ name: "a link stays a link, and what it leads to is changed", ignore }, async () => {
  await using yard = await clientYard();
  const file = yard.file("codex");
  const dotfiles = join(yard.path, "dotfiles", "codex");
  await Deno.mkdir(dotfiles, { recursive: true });
  await Deno.symlink(dotfiles, dirname(file));
  await Deno.symlink("../config.toml", file);
  const real = join(yard.path, "dotfiles", "config.toml");
  await Deno.writeTextFile(real, "a = 1\n");
  assert.match(
    (await yard.install("codex")).output,
    /^Added codex-swarm to \/home\/\.codex\/config\.toml, a link to \/dotfiles\/config\.toml\.\n/,
  );
  assert.equal(await Deno.readLink(file), "../config.toml");
  assert.match(await readText(real), /^a = 1\n\n\[mcp_servers\.codex-swarm\]\n/);
  assert.equal(await readText(`${real}.codex-swarm-backup`), "a = 1\n");
  await yard.uninstall("codex");
  assert.equal(await readText(real), "a = 1\n");

  await Deno.remove(real);
  await Deno.remove(`${real}.codex-swarm-backup`);
  await Deno.remove(`${real}.codex-swarm-backup.1`);
  await yard.install("codex");
  assert.match(await readText(real), /^\[mcp_servers\.codex-swarm\]\n/);

  await Deno.remove(real);
  await Deno.symlink("config.toml", real);
  assert.match((await yard.install("codex")).error, /Cannot change .*: it is a link that leads nowhere\. Nothing was/);
});

/** What stands in the yard, so that nothing changed can be told. */
function shot(yard: ClientYard, client: string): unknown {
  const directory = dirname(yard.file(client));
  return namesIn(directory).map((name) => [name, Deno.readFileSync(join(directory, name))]);
}

Deno.test("what is no text, no JSON or no TOML is left alone, and told with what to add by hand", async () => {
  await using yard = await clientYard();
  const broken = {
    "claude-code": [
      '{"mcpServers": {"a": }}',
      /it is not JSON at line 1, column 22: value expected/,
      /"codex-swarm": \{/,
    ],
    codex: ["a = \n", /it is not TOML at line 1, column \d+: /, /\[mcp_servers\.codex-swarm\]\ncommand = /],
    cursor: [Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0), /it is not written in UTF-8/, /"codex-swarm": \{/],
  } as const;
  for (const [client, [content, why, what]] of Object.entries(broken)) {
    await yard.write(client, content);
    const before = shot(yard, client);
    const { exitCode, output, error } = await yard.install(client);
    assert.equal(exitCode, 1);
    assert.equal(output, "");
    assert.match(error, /^codex-swarm: Cannot change \/(home|project)\/\S+: it is not .*\. Nothing was written\./);
    assert.match(error, why);
    assert.match(error, what);
    const removal = await yard.uninstall(client);
    assert.equal(removal.exitCode, 1);
    assert.match(removal.error, /To do it by hand, remove /);
    assert.deepEqual(shot(yard, client), before);
  }
});

Deno.test("a directory in the file's place is told", async () => {
  await using yard = await clientYard();
  await Deno.mkdir(yard.file("claude-code"));
  const { exitCode, error } = await yard.install("claude-code");
  assert.equal(exitCode, 1);
  assert.match(error, /it cannot be read: it is a directory, no file\. Nothing was written\./);
});

Deno.test({ name: "a pipe in the file's place is told, and nobody waits for its writer", ignore }, async () => {
  await using yard = await clientYard();
  const path = yard.file("claude-code");
  const made = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.ok(made.success);
  // With a writer whoever opens the pipe goes on reading until that leaves: so this fails and does not hang.
  using _writer = await Deno.open(path, { read: true, write: true });
  for (const run of [yard.install, yard.uninstall]) {
    let told: Told | null = null;
    const running = run("claude-code").then((answer) => told = answer);
    const { exitCode, error } = await waitFor(() => told, { message: "the answer" });
    await running;
    assert.equal(exitCode, 1);
    assert.match(
      error,
      /Cannot change \/project\/\.mcp\.json: it cannot be read: it is a pipe or a device, no file\. /,
    );
  }
});

Deno.test("uninstall --print shows what uninstall would do, and does nothing", async () => {
  await using yard = await clientYard();
  for (const client of ["codex", "claude-code"]) {
    const nothing = await yard.uninstall(client, { isPrint: true });
    assert.match(nothing.output, /^codex-swarm does not stand in \S+: nothing to do\.\n/);
    assert.deepEqual(nothing, await yard.uninstall(client));
    await yard.install(client);
    const before = shot(yard, client);
    assert.match((await yard.uninstall(client, { isPrint: true })).output, /^Remove .* from \/\S+\.\n/);
    assert.deepEqual(shot(yard, client), before);
  }
});

Deno.test({ name: "a write-protected file is not replaced", ignore }, async () => {
  await using yard = await clientYard();
  const path = await yard.write("codex", "a = 1\n");
  await Deno.chmod(path, 0o444);
  const before = shot(yard, "codex");
  const { exitCode, error } = await yard.install("codex");
  assert.equal(exitCode, 1);
  assert.match(error, /: it is write-protected\. Nothing was written\. To do it by hand, add:\n\n\[mcp_servers/);
  assert.deepEqual(shot(yard, "codex"), before);
  await Deno.chmod(path, 0o644);
  assert.equal((await yard.install("codex")).exitCode, 0);
});

Deno.test("what another program writes meanwhile is not overwritten, and no backup is left", async () => {
  await using yard = await clientYard();
  const path = await yard.write("codex", "a = 1\n");
  const options = { isPrivate: true };
  const meanwhile = { name: "InstallError", message: "it was changed by another program meanwhile; run this again" };
  const file = await readConfigFile(path);
  await Deno.writeTextFile(path, "a = 2\n");
  await assert.rejects(replaceConfigFile(file, "a = 3\n", options), meanwhile);
  await assert.rejects(replaceConfigFile(file, null, options), meanwhile);
  assert.equal(await readText(path), "a = 2\n");

  const missing = await readConfigFile(join(dirname(path), "new.toml"));
  await Deno.writeTextFile(missing.path, "");
  await assert.rejects(replaceConfigFile(missing, "a = 3\n", options), meanwhile);
  assert.equal(await readText(missing.path), "");

  await Deno.remove(path);
  await assert.rejects(replaceConfigFile(file, "a = 3\n", options), InstallError);
  assert.deepEqual(namesIn(dirname(path)), ["new.toml"]);

  // What it is that refuses: the same write goes through when nobody has come between.
  await replaceConfigFile(await readConfigFile(missing.path), "a = 3\n", options);
  assert.equal(await readText(missing.path), "a = 3\n");
});

Deno.test("uninstall keeps what a user has changed since", async () => {
  await using yard = await clientYard();
  const path = await yard.write("vscode", '{\n  "servers": {}\n}\n');
  await yard.install("vscode");
  const changed = (await readText(path)).replace('"servers": {', '"servers": {\n    "mine": {},');
  await Deno.writeTextFile(path, changed);
  await yard.uninstall("vscode");
  assert.equal(await readText(path), '{\n  "servers": {\n    "mine": {}\n  }\n}\n');
});
