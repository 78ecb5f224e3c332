/** codex-as-mcp's tools on the real CLI. */
import assert from "node:assert/strict";
import { plain } from "../helpers/agents.ts";
import { startRealSwarm } from "../helpers/real_swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("spawn_agent starts an agent outside a repository and gives its answer, with a log for people", async () => {
  await using place = await tempDirectory();
  await using swarm = await startRealSwarm({ env: { CODEX_AGENT_CWD: place.path } });
  const { text, structured, isError } = await swarm.call("spawn_agent", { prompt: "mock:tools" });
  assert.equal(isError, false, text);
  assert.equal(plain(text, swarm), "all tools done\nLog file: STATE/agent_logs/codex_agent_LOG");
  assert.deepEqual([structured.cwd, structured.sandbox.mode, structured.tools_called], [
    place.path,
    "workspace-write",
    4,
  ]);
  const log = await Deno.readTextFile(structured.log_file);
  const lines = log.split("\n").flatMap((line) =>
    /^\[[^\]]+\] (\w+) +stdout: (.*)$/.exec(line)?.slice(1).join(" ") ?? []
  );
  assert.ok(lines.includes("INFO $ /bin/bash -lc 'echo two'"), log);
  assert.ok(lines.includes("INFO exit 0: /bin/bash -lc 'echo two'"), log);
  assert.deepEqual(lines.slice(-2, -1), ["INFO all tools done"]);
});

Deno.test("spawn_agents_parallel runs real agents side by side, and one that fails fails alone", async () => {
  await using swarm = await startRealSwarm();
  const agents = [{ prompt: "mock:hello" }, { prompt: "mock:http(400)" }, { prompt: "mock:hello" }];
  const { structured } = await swarm.call("spawn_agents_parallel", { agents });
  const told = structured.result.map(({ output, error }: { output?: string; error?: { code: string } }) =>
    output?.split("\n")[0] ?? error?.code
  );
  assert.deepEqual(told, ["hello from the mock", "agent_non_zero_exit", "hello from the mock"]);
});
