/** What `install` writes is read by the real Codex, in each way that a user may have written the file before. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { clientYard, FROM_SOURCE, RUNNING, USUAL } from "../helpers/client_yard.ts";
import { ensureRealCodex, makeCodexHome } from "../helpers/real_codex.ts";
import { namesIn } from "../helpers/temp_directory.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/clients/codex/", import.meta.url));

/** What Codex says of its server, or why it says nothing. */
async function ask(home: string, ...args: string[]): Promise<{ readonly success: boolean; readonly text: string }> {
  const { native } = await ensureRealCodex();
  const { success, stdout, stderr } = await new Deno.Command(native, {
    args: ["mcp", ...args],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: home, CODEX_HOME: home },
    cwd: home,
    stdin: "null",
  }).output();
  return { success, text: new TextDecoder().decode(success ? stdout : stderr) };
}

for (const name of namesIn(FIXTURES)) {
  Deno.test(`Codex reads its server from ${name}, started and called over HTTP`, async () => {
    await using home = makeCodexHome();
    await using yard = await clientYard();
    const machine = { ...yard.machine, codexHome: home.path };
    await Deno.copyFile(join(FIXTURES, name), join(home.path, "config.toml"));
    const before = await ask(home.path, "list", "--json");
    assert.ok(before.success, before.text);

    await yard.install("codex", { machine, program: FROM_SOURCE });
    const started = await ask(home.path, "get", "codex-swarm", "--json");
    assert.ok(started.success, started.text);
    const { transport, ...settings } = JSON.parse(started.text);
    assert.deepEqual([transport.type, transport.command, transport.args.at(-1)], [
      "stdio",
      "/opt/deno",
      "/src/main.ts",
    ]);
    assert.deepEqual([settings.startup_timeout_sec, settings.tool_timeout_sec], [20, 3_600]);

    await yard.install("codex", { machine, address: USUAL, endpoints: [RUNNING] });
    const called = await ask(home.path, "get", "codex-swarm", "--json");
    assert.ok(called.success, called.text);
    const { url, bearer_token_env_var: variable } = JSON.parse(called.text).transport;
    assert.deepEqual([url, variable], [RUNNING.url, "CODEX_SWARM_TOKEN"]);
  });
}

Deno.test("Codex reads an entry with the user's own variables after it was changed to HTTP, and would not with them", async () => {
  await using home = makeCodexHome();
  await using yard = await clientYard();
  const machine = { ...yard.machine, codexHome: home.path };
  const file = join(home.path, "config.toml");
  const env = '[mcp_servers.codex-swarm.env]\nCODEX_API_KEY = "x"\n';
  await Deno.writeTextFile(file, env);
  await yard.install("codex", { machine });
  assert.ok((await ask(home.path, "get", "codex-swarm", "--json")).text.includes("CODEX_API_KEY"));
  await yard.install("codex", { machine, address: USUAL, endpoints: [RUNNING] });
  const { success, text } = await ask(home.path, "get", "codex-swarm", "--json");
  assert.ok(success, text);
  await Deno.writeTextFile(file, env, { append: true });
  assert.match((await ask(home.path, "get", "codex-swarm", "--json")).text, /env is not supported for streamable_http/);
});
