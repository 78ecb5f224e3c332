/** Somebody has downloaded the program, and has nothing else of what its sources need. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { endAgents } from "../helpers/end_agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { compiledProgram } from "../helpers/program_forms.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { type Answer, callTool } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

/** What the program must do without. */
const ABSENT = /^(deno|node|nodejs|npm|npx|corepack|codex)$/;

interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts what a project's `.mcp.json` names, as a client does, and calls tools. */
async function useFromFile(
  { cwd, env }: Place,
  use: (call: (name: string, args: Readonly<Record<string, unknown>>) => Promise<Answer>) => Promise<void>,
): Promise<void> {
  const { mcpServers: { "codex-swarm": entry } } = JSON.parse(await Deno.readTextFile(join(cwd, ".mcp.json")));
  await using process = new ServerProcess({
    command: [entry.command, ...entry.args],
    env: { ...env, ...entry.env },
    cwd,
  });
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(process);
  await use((name, args) => callTool(client, { name, args }, {}));
  await client.close();
}

Deno.test({
  name: "the compiled program works from .mcp.json without Deno, Node, a home or a git identity",
  ignore: Deno.build.os !== "linux",
  async fn(): Promise<void> {
    await using temp = await tempDirectory();
    await using repo = await tempRepo();
    const [home, bin] = ["home", "bin"].map((name) => join(temp.path, name));
    assert.ok(home !== undefined && bin !== undefined);
    await Deno.mkdir(home);
    await linkCommands(bin);
    for (const name of ["user.name", "user.email"]) await repo.git("config", "--unset", name);
    await repo.git("config", "user.useConfigOnly", "true");
    const env = { HOME: home, PATH: bin, GIT_CONFIG_NOSYSTEM: "1" };
    await assert.rejects(repo.git("commit", "--allow-empty", "--message=Nobody's"), /user\.useConfigOnly|identity/i);

    const program = await compiledProgram(temp.path);
    const install = await run(program, ["install", "claude-code"], { cwd: repo.path, env });
    assert.equal(install.code, 0);
    const { mcpServers } = JSON.parse(await Deno.readTextFile(join(repo.path, ".mcp.json")));
    assert.deepEqual(mcpServers["codex-swarm"], { type: "stdio", command: program, args: [] });

    await useFromFile({ cwd: repo.path, env }, async (call) => {
      const { text, isError } = await call("codex", { prompt: "fake:say(never)" });
      assert.ok(isError);
      assert.match(text, /^Cannot find Codex: .*`npm install -g @openai\/codex`/);
    });

    await using codex = await installFakeCodex();
    await using _agents = { [Symbol.asyncDispose]: () => endAgents(join(home, ".local", "state", "codex-swarm")) };
    const withCodex = { cwd: repo.path, env: { ...env, PATH: `${codex.directory}:${bin}` } };
    await useFromFile(withCodex, async (call) => {
      const sandbox = "danger-full-access";
      const prompt = "fake:write(new.txt, from an agent) fake:say(written)";
      const { structured: task, text } = await call("codex", { prompt, worktree: true, sandbox });
      assert.equal(task.content, "written", text);
      const merged = await call("codex_merge", { task_id: task.task_id, update_checkout: true });
      assert.ok(!merged.isError, merged.text);
    });
    assert.match(await repo.git("show", "main:new.txt"), /^from an agent/);
  },
});

/** A directory with all of the system's commands but a few. */
async function linkCommands(directory: string): Promise<void> {
  await Deno.mkdir(directory);
  for (const from of ["/bin", "/usr/bin"]) {
    for await (const { name } of Deno.readDir(from)) {
      if (ABSENT.test(name)) continue;
      await Deno.symlink(join(from, name), join(directory, name)).catch(() => {});
    }
  }
}

async function run(program: string, args: readonly string[], { cwd, env }: Place): Promise<Deno.CommandOutput> {
  return await new Deno.Command(program, { args: [...args], cwd, clearEnv: true, env: { ...env }, stdin: "null" })
    .output();
}
