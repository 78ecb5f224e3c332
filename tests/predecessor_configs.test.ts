/** The configurations of codex-as-mcp's own README: with another command and nothing else changed they start this server. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { parse as parseToml } from "smol-toml";
import * as z from "zod";
import { errorOf } from "./helpers/agents.ts";
import { installFakeCodex } from "./helpers/fake_codex.ts";
import { startSwarm } from "./helpers/swarm.ts";
import { tempDirectory } from "./helpers/temp_directory.ts";

const DIRECTORY = join(import.meta.dirname ?? "", "fixtures", "codex_as_mcp");
const NINE = [
  "spawn_agent",
  "spawn_agent_async",
  "get_agent_status",
  "kill_agent",
  "list_running_agents",
  "list_agent_tasks",
  "spawn_agents_parallel",
  "list_agent_logs",
  "cleanup_old_logs",
];
const server = z.object({ args: z.array(z.string()), env: z.record(z.string(), z.string()).default({}) });
const config = z.union([
  z.object({ mcpServers: z.record(z.string(), server) }).transform(({ mcpServers }) => mcpServers),
  z.object({ mcp_servers: z.record(z.string(), server) }).transform(({ mcp_servers }) => mcp_servers),
]);

function readConfig(path: string): z.output<typeof server> {
  const text = Deno.readTextFileSync(path);
  const [entry, ...others] = Object.values(config.parse(path.endsWith(".toml") ? parseToml(text) : JSON.parse(text)));
  assert.ok(entry !== undefined && others.length === 0);
  return entry;
}

Deno.test("each configuration of codex-as-mcp starts this server, with all nine tools as they were called", async () => {
  await using codex = await installFakeCodex();
  await using place = await tempDirectory();
  const paths = Array.from(Deno.readDirSync(DIRECTORY), ({ name }) => join(DIRECTORY, name)).toSorted();
  assert.equal(paths.length, 4);
  for (const path of paths) {
    const { args, env } = readConfig(path);
    // Only the directory's name is not the reader's own.
    const own = env["CODEX_AGENT_CWD"] === undefined ? {} : { CODEX_AGENT_CWD: place.path };
    await using swarm = await startSwarm({ codex, args, env: own });
    const names = (await swarm.client.listTools()).tools.map(({ name }) => name);
    assert.deepEqual(names.filter((name) => NINE.includes(name)), NINE);
    const { text } = await swarm.call("spawn_agent", { prompt: "fake:echo_args" });
    const { cwd } = JSON.parse(text.split("\nLog file: ")[0] ?? "");
    assert.equal(cwd, own.CODEX_AGENT_CWD ?? swarm.cwd, basename(path));
    assert.match(swarm.process.stderr, /Ignored .*codex.as.mcp.*, arguments of another program: they can be removed/);
  }
});

Deno.test("a CODEX_AGENT_CWD that is not there is told by its name, at the call that needs it", async () => {
  const { args, env } = readConfig(join(DIRECTORY, "mcp_agent_cwd.json"));
  await using swarm = await startSwarm({ args, env });
  const { code, message } = errorOf(await swarm.call("spawn_agent", { prompt: "go" }));
  assert.equal(code, "cwd_missing");
  assert.equal(
    message,
    "Cannot use CODEX_AGENT_CWD /Users/you/projects/target-repo: there is no such directory.",
  );
});
