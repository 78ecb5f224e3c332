/** Which of the user's MCP servers an agent of the real Codex gets. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scripted } from "../helpers/mock_model.ts";
import { startRealSwarm } from "../helpers/real_swarm.ts";
import { type TempDirectory, tempDirectory } from "../helpers/temp_directory.ts";

const TINY = fileURLToPath(new URL("../fixtures/tiny_mcp_server.ts", import.meta.url));
const PROMPT = scripted({ tool: { name: "tiny_echo", arguments: { text: "hello" } } }, { say: "done" });

/** Codex offers all tools at once to a model that it does not know, and lets others search for them. */
const UNKNOWN = "of-my-own";

/** A config.toml with the tiny server under `name`. */
function configured(name: string, directory: TempDirectory): { readonly config: string; readonly trace: string } {
  const trace = join(directory.path, "started");
  const args = ["run", "--quiet", "--no-config", "--allow-all", TINY, trace];
  return {
    trace,
    config: `[mcp_servers.${JSON.stringify(name)}]\ncommand = ${JSON.stringify(Deno.execPath())}\n` +
      `args = ${JSON.stringify(args)}\nstartup_timeout_sec = 30\n`,
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

for (const name of ["tiny", "tiny.with.dots"]) {
  Deno.test(`codex gives an agent the MCP server ${name} that mcp-servers names, and none of the others`, async () => {
    await using directory = await tempDirectory();
    const { config, trace } = configured(name, directory);
    await using swarm = await startRealSwarm({ config });
    const without = await swarm.call("codex", { prompt: "mock:hello", model: UNKNOWN, "mcp-servers": [] });
    assert.deepEqual([without.structured.status, exists(trace)], ["completed", false], without.text);
    assert.doesNotMatch(JSON.stringify(swarm.model.requests), /tiny_echo/);

    const withIt = await swarm.call("codex", { prompt: PROMPT, model: UNKNOWN, "mcp-servers": [name] });
    assert.deepEqual([withIt.structured.status, withIt.structured.tools_called, exists(trace)], ["completed", 1, true]);
    assert.match(JSON.stringify(swarm.model.requests.at(-1)?.body.input), /tiny says hello/);

    const reply = await swarm.call("codex_reply", { threadId: without.structured.threadId, prompt: PROMPT });
    assert.deepEqual([reply.structured.status, reply.structured.tools_called], ["completed", 0]);
  });
}

Deno.test("codex leaves the user's MCP servers on by default and refuses names that nobody configured", async () => {
  await using directory = await tempDirectory();
  await using swarm = await startRealSwarm({ config: configured("tiny", directory).config });
  const { structured } = await swarm.call("codex", { prompt: PROMPT, model: UNKNOWN });
  assert.deepEqual([structured.status, structured.tools_called], ["completed", 1]);
  const refused = await swarm.call("codex", { prompt: PROMPT, "mcp-servers": ["tin"] });
  assert.deepEqual([refused.isError, refused.text], [true, "Cannot keep MCP server tin: configured are tiny."]);
});
