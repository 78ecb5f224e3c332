import assert from "node:assert/strict";
import { checkToolChoice, ConfigError } from "../../src/config.ts";
import { chooseTools, type ToolChoice } from "../../src/tools/choose_tools.ts";
import { tools } from "../../src/tools/mod.ts";
import { TOOLSETS } from "../../src/tools/tool.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { baseEnvironment, startSwarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ALL: ToolChoice = { toolsets: ["codex", "agents"], tools: null, exclude: [], isReadOnly: false };
const NAMES = tools.map(({ name }) => name);

function chosen(choice: Partial<ToolChoice>): string[] {
  return chooseTools(tools, { ...ALL, ...choice }).map(({ name }) => name);
}

Deno.test("chooseTools() takes toolsets and single tools, and leaves out what is excluded", () => {
  assert.deepEqual(chosen({}), NAMES);
  const codex = NAMES.filter((name) => name.startsWith("codex"));
  assert.deepEqual(chosen({ toolsets: ["codex"] }), codex);
  assert.deepEqual(chosen({ toolsets: ["agents"] }), NAMES.filter((name) => !name.startsWith("codex")));
  assert.deepEqual(chosen({ toolsets: [], tools: ["codex_wait", "codex"] }), ["codex", "codex_wait"]);
  assert.deepEqual(
    chosen({ toolsets: ["codex"], exclude: ["codex_wait"] }),
    codex.filter((name) => name !== "codex_wait"),
  );
});

Deno.test("chooseTools() gives a reader nothing that starts, stops or deletes", () => {
  const readers = chosen({ isReadOnly: true });
  assert.deepEqual(readers.filter((name) => name.startsWith("codex")), ["codex_wait", "codex_status", "codex_diff"]);
  assert.ok(chooseTools(tools, { ...ALL, isReadOnly: true }).every(({ effect }) => effect === "read"));
});

Deno.test("checkToolChoice() refuses unknown names with the nearest one and all that there are", () => {
  const known = { toolsets: TOOLSETS, tools: ["codex", "codex_wait", "codex_status"] };
  const refusals: readonly (readonly [Partial<ToolChoice>, string])[] = [
    [{ toolsets: ["agent"] }, 'Unknown toolset "agent" in --toolsets: expected codex, agents; did you mean agents?'],
    [{ tools: ["spawn"] }, 'Unknown tool "spawn" in --tools: expected codex, codex_wait, codex_status'],
    [
      { exclude: ["codex-wait"] },
      'Unknown tool "codex-wait" in --exclude-tools: expected codex, codex_wait, codex_status; did you mean codex_wait?',
    ],
  ];
  for (const [choice, message] of refusals) {
    assert.throws(() => checkToolChoice({ ...ALL, ...choice }, known), new ConfigError(message));
  }
  checkToolChoice({ ...ALL, tools: ["codex"] }, known);
});

Deno.test("a server offers the chosen tools only, to call and in what it tells of itself", async () => {
  await using swarm = await startSwarm({ args: ["--toolsets", "codex", "--read-only"] });
  const { tools } = await swarm.client.listTools();
  assert.deepEqual(tools.map(({ name }) => name), ["codex_wait", "codex_status", "codex_diff"]);
  assert.deepEqual((await swarm.resource("server-info")).tools, ["codex_wait", "codex_status", "codex_diff"]);
  await assert.rejects(
    swarm.call("codex", { prompt: "fake:say(no)" }),
    /Unknown tool "codex": the tools are codex_wait, codex_status, codex_diff\./,
  );
});

for (
  const { args, message } of [
    { args: ["--tools", "codex_wiat"], message: /Unknown tool "codex_wiat" in --tools: .*did you mean codex_wait\?/ },
    { args: ["--tools", "codex", "--read-only"], message: /No tool is left/ },
  ]
) {
  Deno.test(`a server does not start with ${args.join(" ")}`, async () => {
    await using directory = await tempDirectory();
    await using process = new ServerProcess({
      args: ["--state-dir", directory.path, ...args],
      env: baseEnvironment(directory.path),
      cwd: directory.path,
    });
    assert.equal((await process.ended).code, 2);
    assert.match(process.stderr, message);
  });
}
