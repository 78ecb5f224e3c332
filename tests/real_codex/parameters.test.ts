/** What a call's parameters become for the real Codex and its model. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { scripted } from "../helpers/mock_model.ts";
import { startRealSwarm, turnContexts } from "../helpers/real_swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

/** The smallest PNG: one pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

Deno.test("codex passes model and reasoning-effort on", async () => {
  await using swarm = await startRealSwarm();
  const known = await swarm.call("codex", { prompt: "mock:hello", model: "gpt-5.5", "reasoning-effort": "low" });
  const odd = await swarm.call("codex", { prompt: "mock:hello", model: "of-my-own", "reasoning-effort": "heroic" });
  assert.deepEqual(swarm.model.requests.map(({ model, effort }) => [model, effort]), [
    ["gpt-5.5", "low"],
    ["of-my-own", "heroic"],
  ]);
  assert.doesNotMatch(known.structured.notes.join("\n"), /reasoning-effort/);
  assert.match(odd.structured.notes.join("\n"), /reasoning-effort "heroic" is passed on/);
});

Deno.test("codex shows images to the model", async () => {
  await using swarm = await startRealSwarm();
  await Deno.writeFile(join(swarm.cwd, "one pixel.png"), Uint8Array.fromBase64(PNG));
  const first = await swarm.call("codex", { prompt: "mock:hello", images: ["one pixel.png"] });
  assert.equal(first.structured.status, "completed");
  const { threadId } = first.structured;
  const next = await swarm.call("codex", { threadId, prompt: "mock:say(again)", images: ["one pixel.png"] });
  assert.equal(next.structured.content, "again");
  const images = swarm.model.requests.map(({ body }) => JSON.stringify(body.input).split('"input_image"').length - 1);
  assert.deepEqual(images, [1, 2]);
});

Deno.test("codex refuses an image that Codex would drop", async () => {
  await using swarm = await startRealSwarm();
  await Deno.writeFile(join(swarm.cwd, "a,b.png"), Uint8Array.fromBase64(PNG));
  const split = await swarm.call("codex", { prompt: "mock:hello", images: ["a,b.png"] });
  assert.match(split.text, /Codex splits image paths at commas/);
  const missing = await swarm.call("codex", { prompt: "mock:hello", images: ["missing.png"] });
  assert.match(missing.text, /missing\.png.*no such file/);
  assert.deepEqual([split.isError, missing.isError, swarm.model.requests.length], [true, true, 0]);
});

Deno.test("codex replaces and adds instructions, and a reply keeps them", async () => {
  await using swarm = await startRealSwarm();
  const base = 'Be a "parrot".\nAlways.';
  const added = "Speak = softly # now\n'yes'";
  const { structured: { threadId } } = await swarm.call("codex", {
    prompt: "mock:hello",
    "base-instructions": base,
    "developer-instructions": added,
  });
  await swarm.call("codex_reply", { threadId, prompt: "mock:hello" });
  const developer = swarm.model.requests.map(({ body }) =>
    body.input.filter(({ type, role }) => type === "message" && role === "developer").map(({ content }) =>
      Array.isArray(content) ? content[0]?.text : content
    )
  );
  assert.deepEqual(developer.map((texts) => texts.slice(0, 2)), [[base, added], [base, added]]);
});

Deno.test("codex withholds secrets from the agent's commands unless the call passes them", async () => {
  await using swarm = await startRealSwarm({ env: { MY_TOKEN: "hidden", MY_COLOR: "blue" } });
  const prompt = "mock:shell(printenv MY_TOKEN MY_COLOR CODEX_API_KEY)";
  const without = await swarm.call("codex", { prompt });
  assert.match(without.structured.notes.join("\n"), /Withheld from the agent's commands: CODEX_API_KEY, MY_TOKEN\./);
  const withIt = await swarm.call("codex", { prompt, env: { MY_TOKEN: "shown" } });
  assert.match(withIt.structured.notes.join("\n"), /Withheld from the agent's commands: CODEX_API_KEY\./);
  assert.deepEqual(swarm.model.requests.flatMap(commandOutputs), ["blue\n", "shown\nblue\n"]);
  const files = await Array.fromAsync(Deno.readDir(join(swarm.stateDir, "tasks", withIt.structured.task_id)));
  assert.ok(!files.some(({ name }) => name === "env.json"));
});

Deno.test("codex leaves a shell_environment_policy of the user's alone", async () => {
  const set = `{ PATH = ${JSON.stringify(Deno.env.get("PATH"))}, HOME = "/nowhere", MINE = "kept" }`;
  const config = `[shell_environment_policy]\ninherit = "none"\nset = ${set}\n`;
  await using swarm = await startRealSwarm({ config, env: { MY_TOKEN: "hidden" } });
  const { structured } = await swarm.call("codex", {
    prompt: scripted({ shell: "printenv CODEX_SWARM_TASK_ID CODEX_SWARM_DEPTH MINE MY_TOKEN" }),
  });
  assert.doesNotMatch(structured.notes.join("\n"), /Withheld/);
  assert.deepEqual(swarm.model.requests.flatMap(commandOutputs), [
    `${structured.task_id}\n1\nkept\n`,
  ]);
});

for (const network of [true, false]) {
  Deno.test(`codex ${network ? "opens" : "keeps"} the network ${network ? "" : "shut "}in workspace-write`, async () => {
    await using swarm = await startRealSwarm({ args: ["-c", `sandbox_workspace_write.network_access=${!network}`] });
    const prompt = `mock:shell(: < /dev/tcp/127.0.0.1/${swarm.model.port} && echo open)`;
    const { structured } = await swarm.call("codex", { prompt, sandbox: "workspace-write", network });
    assert.deepEqual([structured.last_command?.exit_code === 0, structured.sandbox], [
      network,
      { mode: "workspace-write", source: "call", network },
    ]);
    const { threadId } = structured;
    const reply = await swarm.call("codex_reply", { threadId, prompt });
    assert.deepEqual([reply.structured.last_command?.exit_code === 0, reply.structured.sandbox.network], [
      network,
      network,
    ]);
  });
}

Deno.test("codex works outside git repositories only when the server was told so", async () => {
  await using directory = await tempDirectory();
  await using strict = await startRealSwarm({ cwd: directory.path });
  const refused = await strict.call("codex", { prompt: "mock:hello" });
  assert.equal(refused.isError, true);
  assert.match(refused.text, /not inside a git repository.*--skip-git-repo-check/);
  await using lax = await startRealSwarm({ cwd: directory.path, args: ["--skip-git-repo-check"] });
  assert.equal((await lax.call("codex", { prompt: "mock:hello" })).structured.content, "hello from the mock");
  assert.equal(strict.model.requests.length, 0);
});

Deno.test("codex takes a profile, and a reply keeps it", async () => {
  await using swarm = await startRealSwarm();
  const profile = 'model = "of-the-profile"\nsandbox_mode = "workspace-write"\n';
  await Deno.writeTextFile(join(swarm.home, "careful.config.toml"), profile);
  const { structured } = await swarm.call("codex", { prompt: "mock:hello", profile: "careful" });
  assert.deepEqual([structured.sandbox.mode, structured.sandbox.source], ["workspace-write", "profile"]);
  const { threadId } = structured;
  await swarm.call("codex_reply", { threadId, prompt: "mock:hello" });
  assert.deepEqual(
    turnContexts(swarm.home, threadId).map(({ model, sandbox_policy }) => [model, sandbox_policy.type]),
    [
      ["of-the-profile", "workspace-write"],
      ["of-the-profile", "workspace-write"],
    ],
  );
});

Deno.test("codex says that an approval policy has no effect, and runs", async () => {
  await using swarm = await startRealSwarm();
  for (const policy of ["on-request", "untrusted"]) {
    for (const args of [{ "approval-policy": policy }, { config: { approval_policy: policy } }]) {
      const { structured } = await swarm.call("codex", { prompt: "mock:shell(echo done)", ...args });
      assert.deepEqual([structured.status, structured.last_command.exit_code], ["completed", 0]);
      assert.ok(structured.notes.includes(
        `approval-policy "${policy}" has no effect: codex exec 0.169.0 always runs with "never".`,
      ));
    }
  }
});

Deno.test("codex starts the native binary behind npm's launcher", async () => {
  await using swarm = await startRealSwarm({ program: "launcher" });
  const prompt = scripted({ shell: "tr '\\0' ' ' < /proc/$PPID/cmdline; echo $CODEX_MANAGED_BY_NPM" });
  const { structured } = await swarm.call("codex", { prompt, sandbox: "danger-full-access" });
  assert.equal(structured.last_command.exit_code, 0);
  const [output = ""] = swarm.model.requests.flatMap(commandOutputs);
  assert.ok(output.startsWith(`${await Deno.realPath(swarm.real.native)} exec `), output);
  assert.ok(output.endsWith("1\n"), output);
});

const ScriptOutput = z.looseObject({ output: z.string() });

/** What the commands of a code-mode model printed, as far as this request is the first to tell it. */
function commandOutputs({ body }: { readonly body: { readonly input: readonly Record<string, unknown>[] } }): string[] {
  const texts = z.array(z.looseObject({ text: z.string() })).safeParse(body.input.at(-1)?.["output"]);
  return (texts.data ?? []).flatMap(({ text }) => {
    if (!text.startsWith("{")) return [];
    return [ScriptOutput.parse(JSON.parse(text)).output];
  });
}
