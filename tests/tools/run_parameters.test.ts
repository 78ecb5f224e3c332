/** What the parameters of `codex` and `codex_async` become. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const MCP_SERVERS = `
[mcp_servers.files]
command = "files"
[mcp_servers.web]
url = "http://127.0.0.1:9/mcp"
[mcp_servers.swarm]
command = "codex-swarm"
`;
const ECHO = "fake:echo_args";

/** What the fake Codex was started with. */
interface Echo {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

function echoOf({ text, structured, isError }: Answer): Echo {
  assert.equal(isError, false, text);
  return JSON.parse(structured.content);
}

async function echo(swarm: Swarm, parameters: Readonly<Record<string, unknown>> = {}): Promise<Echo> {
  return echoOf(await swarm.call("codex", { prompt: ECHO, ...parameters }));
}

/** The arguments without what differs from task to task. */
function plain({ args }: Echo): string[] {
  return args.map((arg) => arg.replaceAll(/(TASK_ID="|\/tasks\/)[0-9a-f]{8}/g, "$1ID"));
}

/** The `-c` values that a call adds to those that every run has. */
function settings(echoed: Echo): string[] {
  return plain(echoed).filter((_, index, args) => args[index - 1] === "-c")
    .filter((setting) => !/^(tools\.update_plan|shell_environment_policy\.set|mcp_servers\.swarm)\./.test(setting));
}

async function codexWithServers(): Promise<FakeCodex> {
  const codex = await installFakeCodex();
  await Deno.writeTextFile(join(codex.home, "config.toml"), MCP_SERVERS);
  return codex;
}

Deno.test("codex and codex_async pass every parameter on to Codex, in any spelling", async () => {
  await using codex = await codexWithServers();
  await using other = await tempDirectory();
  await Deno.writeTextFile(join(codex.home, "careful.config.toml"), 'sandbox_mode = "read-only"\n');
  await using swarm = await startSwarm({ codex, args: ["-c", 'service_tier="flex"'] });
  await Deno.mkdir(join(swarm.cwd, "sub"));
  await Deno.writeTextFile(join(swarm.cwd, "sub", "picture.png"), "");
  const parameters = {
    prompt: ECHO,
    cwd: "sub",
    sandbox: "workspace-write",
    "approval-policy": "never",
    model: "gpt-x",
    "reasoning-effort": "high",
    profile: "careful",
    config: { model_verbosity: "low", "tools.web_search": true, a: { b: [1, "two"], "c.d": false } },
    "base-instructions": "Be brief.",
    "developer-instructions": 'Say "hi".\nTwice.',
    "compact-prompt": "Sum up.",
    images: ["picture.png"],
    "output-schema": { type: "object" },
    "add-dirs": [other.path],
    network: true,
    "mcp-servers": ["files"],
    env: { FAKE_SETTING: "from the call" },
    timeout: 60,
    label: "all of them",
    worktree: false,
  };
  const task = `${swarm.stateDir}/tasks/ID`;
  const expected = [
    ...["exec", "-s", "workspace-write", "-C", join(swarm.cwd, "sub"), "--add-dir", other.path, "-p", "careful"],
    ...["-m", "gpt-x", "--output-schema", `${task}/output_schema.json`],
    ...[
      "tools.update_plan.enabled=true",
      'service_tier="flex"',
      'model_verbosity="low"',
      "tools.web_search=true",
      'a={b=[1,"two"],"c.d"=false}',
      'model_reasoning_effort="high"',
      "sandbox_workspace_write.network_access=true",
      'developer_instructions="Say \\"hi\\".\\nTwice."',
      'compact_prompt="Sum up."',
      `model_instructions_file="${task}/base_instructions.md"`,
      "mcp_servers.web.enabled=false",
      "mcp_servers.swarm.enabled=false",
      'shell_environment_policy.set.CODEX_SWARM_TASK_ID="ID"',
      'shell_environment_policy.set.CODEX_SWARM_DEPTH="1"',
    ].flatMap((setting) => ["-c", setting]),
    ...["--json", "--image", join(swarm.cwd, "sub", "picture.png"), "--", "-"],
  ];

  const answer = await swarm.call("codex", parameters);
  const echoed = echoOf(answer);
  assert.deepEqual(plain(echoed), expected);
  assert.equal(echoed.cwd, join(swarm.cwd, "sub"));
  assert.equal(echoed.env["FAKE_SETTING"], "from the call");
  assert.deepEqual(answer.structured.notes, undefined);
  assert.deepEqual(answer.structured.sandbox, { mode: "workspace-write", source: "call", network: true });
  const directory = `${swarm.stateDir}/tasks/${answer.structured.task_id}`;
  assert.equal(await Deno.readTextFile(`${directory}/base_instructions.md`), "Be brief.");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(`${directory}/output_schema.json`)), { type: "object" });

  for (const respell of [snakeCase, camelCase]) {
    const respelled = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [respell(name), value]));
    const started = await swarm.call("codex_async", respelled);
    assert.equal(started.isError, false, started.text);
    const { structured } = await swarm.call("codex_wait", { task_ids: [started.structured.task_id] });
    const { answer: content } = structured.tasks[0];
    assert.deepEqual(plain(JSON.parse(content)), expected);
  }
});

function snakeCase(name: string): string {
  return name.replaceAll("-", "_");
}

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

Deno.test("codex adds nothing that a call did not ask for, and keeps the MCP servers it names", async () => {
  await using codex = await codexWithServers();
  await using swarm = await startSwarm({ codex });
  const bare = await echo(swarm);
  assert.deepEqual(plain(bare), [
    ...["exec", "-C", swarm.cwd],
    ...["-c", "tools.update_plan.enabled=true", "-c", "mcp_servers.swarm.enabled=false"],
    ...["-c", 'shell_environment_policy.set.CODEX_SWARM_TASK_ID="ID"'],
    ...["-c", 'shell_environment_policy.set.CODEX_SWARM_DEPTH="1"', "--json", "-"],
  ]);
  const { tools } = await swarm.client.listTools();
  const names = Object.keys(tools.find(({ name }) => name === "codex")?.inputSchema.properties ?? {});
  const nulls = Object.fromEntries(names.filter((name) => name !== "prompt").map((name) => [name, null]));
  assert.deepEqual(plain(await echo(swarm, nulls)), plain(bare));

  // Those it names stay, and never the program's own.
  assert.deepEqual(settings(await echo(swarm, { "mcp-servers": [] })), [
    "mcp_servers.files.enabled=false",
    "mcp_servers.web.enabled=false",
  ]);
  assert.deepEqual(settings(await echo(swarm, { "mcp-servers": ["web", "swarm"] })), [
    "mcp_servers.files.enabled=false",
  ]);
  const unknown = await swarm.call("codex", { prompt: ECHO, "mcp-servers": ["web", "nope"] });
  assert.equal(unknown.text, "Cannot keep MCP server nope: configured are files, web, swarm.");
});

Deno.test("codex notes what it could not do as asked", async () => {
  await using swarm = await startSwarm({
    env: { DEPLOY_TOKEN: "secret", PLAIN: "1" },
    args: ["--env", "MY_KEY=given"],
  });
  const notes = async (parameters: Readonly<Record<string, unknown>>): Promise<string[]> =>
    (await swarm.call("codex", { prompt: ECHO, sandbox: "workspace-write", ...parameters })).structured.notes ?? [];
  const withheld = "Withheld from the agent's commands: DEPLOY_TOKEN. Pass one on with env.";

  assert.deepEqual(await notes({ "approval-policy": "on-request" }), [
    'approval-policy "on-request" has no effect: codex exec 0.169.0 always runs with "never".',
    withheld,
  ]);
  assert.deepEqual(await notes({ config: { approval_policy: "untrusted" }, env: { DEPLOY_TOKEN: "mine" } }), [
    'approval-policy "untrusted" has no effect: codex exec 0.169.0 always runs with "never".',
  ]);
  assert.deepEqual(await notes({ "reasoning-effort": "turbo", env: { DEPLOY_TOKEN: "mine" } }), [
    'reasoning-effort "turbo" is passed on, but no model is known to have it; known are none, minimal, low, medium, ' +
    "high, xhigh, max, ultra.",
  ]);
  assert.deepEqual(await notes({ sandbox: "read-only", network: true, env: { DEPLOY_TOKEN: "mine" } }), [
    'The agent cannot edit files: pass sandbox="workspace-write" to allow it.',
    'network has no effect in a read-only sandbox: pass sandbox="workspace-write" too.',
  ]);
  const { structured } = await swarm.call("codex", { prompt: ECHO, "reasoning-effort": "turbo" });
  const echoed: Echo = JSON.parse(structured.content);
  assert.deepEqual(settings(echoed), [
    'model_reasoning_effort="turbo"',
    'shell_environment_policy.exclude=["DEPLOY_TOKEN"]',
  ]);
});

Deno.test("codex writes down what of its server's settings the run needs, but for an approval policy", async () => {
  await using codex = await codexWithServers();
  const args = [
    "-c",
    'approval_policy="on-request"',
    "-c",
    'service_tier="flex"',
    "--skip-git-repo-check",
    "--ephemeral",
  ];
  await using swarm = await startSwarm({ codex, args, env: { DEPLOY_TOKEN: "secret" } });
  const answer = await swarm.call("codex", { prompt: ECHO, "mcp-servers": ["files"] });
  const record = join(swarm.stateDir, "tasks", answer.structured.task_id, "task.json");
  assert.deepEqual(JSON.parse(await Deno.readTextFile(record)).spec.server, {
    config: ['service_tier="flex"'],
    skipGitRepoCheck: true,
    ephemeral: true,
    envNames: [],
    withheldEnv: ["DEPLOY_TOKEN"],
    hasEnvPolicy: false,
    disabledMcpServers: ["web", "swarm"],
    cwd: swarm.cwd,
  });
  const echoed = echoOf(answer);
  assert.ok(!echoed.args.join("\n").includes("approval_policy"));
  assert.ok(["--skip-git-repo-check", "--ephemeral"].every((flag) => echoed.args.includes(flag)));
  assert.deepEqual(settings(echoed), [
    'service_tier="flex"',
    "mcp_servers.web.enabled=false",
    'shell_environment_policy.exclude=["DEPLOY_TOKEN"]',
  ]);
});

Deno.test("codex writes nowhere down what the variables of a call hold", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:hold(go)", {
    env: { MY_PASSWORD: "hunter2hunter2", NO_SECRET: "hunter2hunter2" },
  });
  await waitForTask(swarm, id, (task) => task.thread_id !== undefined);
  const directory = join(swarm.stateDir, "tasks", id);
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (isFile) assert.doesNotMatch(Deno.readTextFileSync(join(directory, name)), /hunter2/, name);
  }
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(join(directory, "task.json"))).spec.envNames, [
    "MY_PASSWORD",
    "NO_SECRET",
  ]);
  await release(swarm, "go");
  await waitForStatus(swarm, id, "completed");
});

Deno.test("codex reads the settings and threads of the call's own CODEX_HOME", async () => {
  await using codex = await installFakeCodex();
  await using other = await tempDirectory();
  await Deno.writeTextFile(join(codex.home, "config.toml"), 'sandbox_mode = "danger-full-access"\n');
  await Deno.writeTextFile(
    join(other.path, "config.toml"),
    `sandbox_mode = "workspace-write"\n[sandbox_workspace_write]\nnetwork_access = true\n${MCP_SERVERS}`,
  );
  await Deno.copyFile(join(codex.home, "auth.json"), join(other.path, "auth.json"));
  await using swarm = await startSwarm({ codex });
  const env = { CODEX_HOME: other.path };
  const first = await swarm.call("codex", { prompt: ECHO, env });
  assert.deepEqual(settings(echoOf(first)), []);
  assert.ok(echoOf(first).args.includes("mcp_servers.swarm.enabled=false"));
  const { threadId, sandbox } = first.structured;
  assert.deepEqual(sandbox, { mode: "workspace-write", source: "config.toml", network: true });

  const lost = await swarm.call("codex_reply", { threadId, prompt: ECHO });
  assert.match(lost.text, /^Cannot find thread .* another CODEX_HOME only with codex\(threadId, env\)\.$/);
  const second = await swarm.call("codex", { threadId, prompt: ECHO, env });
  assert.equal(second.isError, false, second.text);
  assert.equal(second.structured.threadId, threadId);
});

Deno.test("codex looks below the call's own HOME when there is no CODEX_HOME", async () => {
  await using home = await tempDirectory();
  await Deno.mkdir(join(home.path, ".codex"));
  await Deno.writeTextFile(join(home.path, ".codex", "config.toml"), 'sandbox_mode = "workspace-write"\n');
  await using swarm = await startSwarm({ env: { CODEX_HOME: "" } });
  const { structured } = await swarm.call("codex", { prompt: ECHO, env: { HOME: home.path } });
  assert.deepEqual(structured.sandbox, { mode: "workspace-write", source: "config.toml", network: false });
});

Deno.test("codex tells whether the agent has the network, whoever chose the sandbox", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const ask = async (parameters: Readonly<Record<string, unknown>>): Promise<readonly [string, string, boolean]> => {
    const { structured, text, isError } = await swarm.call("codex", { prompt: ECHO, ...parameters });
    assert.equal(isError, false, text);
    const { mode, source, network } = structured.sandbox;
    return [mode, source, network];
  };
  const table = async (isConfigured: boolean): Promise<void> => {
    assert.deepEqual(await ask({}), ["read-only", "Codex default", false]);
    assert.deepEqual(await ask({ network: true }), ["read-only", "Codex default", false]);
    assert.deepEqual(await ask({ sandbox: "read-only", network: true }), ["read-only", "call", false]);
    assert.deepEqual(await ask({ sandbox: "danger-full-access" }), ["danger-full-access", "call", true]);
    assert.deepEqual(await ask({ sandbox: "workspace-write" }), ["workspace-write", "call", isConfigured]);
    assert.deepEqual(await ask({ sandbox: "workspace-write", network: true }), ["workspace-write", "call", true]);
    assert.deepEqual(await ask({ sandbox: "workspace-write", network: false }), ["workspace-write", "call", false]);
    const config = { sandbox_mode: "workspace-write" };
    assert.deepEqual(await ask({ config }), ["workspace-write", "call config", isConfigured]);
    assert.deepEqual(await ask({ config, network: true }), ["workspace-write", "call config", true]);
  };
  await table(false);
  await Deno.writeTextFile(join(codex.home, "config.toml"), "[sandbox_workspace_write]\nnetwork_access = true\n");
  await table(true);
});

Deno.test("codex holds the answer against the output schema and reports the verdict", async () => {
  await using swarm = await startSwarm();
  const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
  const ask = (answer: string): Promise<Answer> =>
    swarm.call("codex", { prompt: `fake:say(${answer})`, "output-schema": schema });

  const valid = await ask('{"n":1}');
  assert.deepEqual(valid.structured.output_schema_verdict, { valid: true, errors: [] });
  assert.ok(valid.text.startsWith('{"n":1}\n'), valid.text);
  assert.ok(valid.text.endsWith("\nOutput schema: valid"), valid.text);

  const invalid = await ask('{"n":"one"}');
  assert.deepEqual(invalid.structured.output_schema_verdict, { valid: false, errors: ["data/n must be number"] });
  assert.ok(invalid.text.endsWith("\nOutput schema: INVALID (data/n must be number)"), invalid.text);
  assert.equal(invalid.isError, false);

  const noJson = await ask("sorry");
  assert.deepEqual(noJson.structured.output_schema_verdict, { valid: false, errors: ["the answer is not JSON"] });
});

const REFUSALS: readonly { readonly parameters: Readonly<Record<string, unknown>>; readonly message: RegExp }[] = [
  {
    parameters: { worktree: { base: "no-such-branch" } },
    message: /^Cannot use worktree: there is no commit "no-such-branch" in .*Name a branch/,
  },
  { parameters: { "output-schema": { type: "nope" } }, message: /^Cannot use output-schema: type must be .*nope/ },
  { parameters: { images: ["no.png"] }, message: /^Cannot attach image .*\/no\.png: there is no such file\.$/ },
  { parameters: { "mcp-servers": ["no"] }, message: /^Cannot keep MCP server no: none are configured\.$/ },
  { parameters: { "add-dirs": ["no"] }, message: /^Cannot use add-dirs .*\/no: there is no such directory\.$/ },
  { parameters: { cwd: "no" }, message: /^Cannot use cwd .*\/no: there is no such directory\.$/ },
  { parameters: { sandbox: "none" }, message: /^Cannot call codex(_async)?: sandbox: .*Correct it and try again\.$/ },
  { parameters: { timeout: 0 }, message: /^Cannot call codex(_async)?: timeout: / },
  { parameters: { timeout: "60" }, message: /^Cannot call codex(_async)?: timeout: .*expected number/ },
  {
    parameters: { timeout: 24 * 86_400 + 1 },
    message: /^Cannot use timeout 2073601: it is at most 2073600 seconds, 24 /,
  },
  {
    parameters: { "developer-instructions": "x".repeat(131_072) },
    message:
      /^Cannot pass developer-instructions: it takes 131097 bytes of Codex's command line, where at most 131071 /,
  },
  { parameters: { env: { "": "" } }, message: /^Cannot pass env "": a name is made of letters, digits and "_" / },
  { parameters: { env: { "A B": "" } }, message: /^Cannot pass env "A B": a name / },
  { parameters: { env: { "BASH_FUNC_ls%%": "() { :; }" } }, message: /^Cannot pass env "BASH_FUNC_ls%%": a name / },
  { parameters: { env: { "1A": "" } }, message: /^Cannot pass env "1A": a name .* begins with no digit\.$/ },
  { parameters: { env: { A: "\0" } }, message: /^Cannot pass env\.A: its value holds a NUL character\. Remove it\.$/ },
  {
    parameters: { env: { CODEX_HOME: "home" } },
    message: /^Cannot use env\.CODEX_HOME "home": it is no absolute path\.$/,
  },
  { parameters: { env: { CODEX_HOME: "/no/home" } }, message: /^Cannot use env\.CODEX_HOME \/no\/home: there is no / },
  { parameters: { env: { A: 1 } }, message: /^Cannot call codex(_async)?: env\.A: / },
  {
    parameters: { colour: "red" },
    message: /^Unknown parameter "colour" for codex(_async)?: expected prompt, threadId, /,
  },
  { parameters: { threadId: "01a1f744-634e-71b1-a39a-93788d7eea39" }, message: /^Cannot find thread "01a1f744-/ },
  { parameters: { prompt: " \n" }, message: /^Cannot start: the prompt is empty\.$/ },
  { parameters: { prompt: "a\0b" }, message: /^Cannot start: the prompt holds a NUL character\./ },
];

Deno.test("codex and codex_async refuse what cannot be done, and start nothing", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  for (const tool of ["codex", "codex_async"]) {
    for (const { parameters, message } of REFUSALS) {
      const { text, isError } = await swarm.call(tool, { prompt: "hello", ...parameters });
      assert.match(text, message);
      assert.equal(isError, true);
    }
  }
  assert.deepEqual(codex.ledger(), []);
  assert.deepEqual((await swarm.call("codex_status", { all: true })).structured.tasks, []);
});
