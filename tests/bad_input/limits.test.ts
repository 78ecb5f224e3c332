import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { assertNothingStarted } from "../helpers/nothing_started.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { baseEnvironment, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

interface Bounded extends AsyncDisposable {
  readonly swarm: Swarm;
  readonly codex: FakeCodex;
  /** The only root, with a repository and a link `way_out` to `outside` in it. */
  readonly root: string;
  readonly outside: string;
}

/** A server with `--root` and `--max-sandbox workspace-write`, and what lies beyond. */
async function startBounded(options: { readonly stateDir?: string } = {}): Promise<Bounded> {
  const stack = new AsyncDisposableStack();
  const codex = stack.use(await installFakeCodex());
  const root = stack.use(await tempRepo()).path;
  const outside = stack.use(await tempRepo()).path;
  Deno.mkdirSync(join(root, "inside"));
  Deno.symlinkSync(outside, join(root, "way_out"));
  const args = ["--root", root, "--max-sandbox", "workspace-write"];
  const swarm = stack.use(await startSwarm({ codex, cwd: root, args, ...options }));
  return { swarm, codex, root, outside, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("limits hold for what is asked and for what is configured", async (t) => {
  await using bounded = await startBounded();
  await t.step("a call cannot leave --root or --max-sandbox, whichever way it tries", async (t) => {
    const { swarm, codex, outside } = bounded;
    const profile = (text: string): void => Deno.writeTextFileSync(join(codex.home, "wide.config.toml"), text);
    profile('sandbox_mode = "danger-full-access"\n');
    const up = join("inside", "..", "..", outside.split("/").at(-1) ?? "");
    const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
      ["cwd", { cwd: outside }, /Cannot use cwd .*--root/],
      ["cwd through ..", { cwd: up }, /Cannot use cwd .*--root/],
      ["cwd through a link", { cwd: "way_out" }, /Cannot use cwd .*--root/],
      ["cwd at the root of all", { cwd: "/" }, /Cannot use cwd .*--root/],
      ["add-dirs", { "add-dirs": ["inside", outside] }, /Cannot use add-dirs .*--root/],
      ["add-dirs through ..", { "add-dirs": [up] }, /Cannot use add-dirs .*--root/],
      ["add-dirs through a link", { "add-dirs": ["way_out"] }, /Cannot use add-dirs .*--root/],
      ["sandbox", { sandbox: "danger-full-access" }, /sandbox danger-full-access \(from call\).*--max-sandbox/],
      ["config", { config: { sandbox_mode: "danger-full-access" } }, /\(from call config\).*--max-sandbox/],
      ["config's roots", { config: { sandbox_workspace_write: { writable_roots: ["/"] } } }, /--root|--max-sandbox/],
      [
        "config's dotted roots",
        { config: { "sandbox_workspace_write.writable_roots": ["/"] } },
        /--root|--max-sandbox/,
      ],
      ["config's profile", { config: { profile: "wide" } }, /Cannot pass config\.profile.*--max-sandbox/],
      ["config's programs", { config: { notify: ["sh", "-c", "id"] } }, /Cannot pass config\.notify.*--max-sandbox/],
      ["config's servers", { config: { mcp_servers: { x: { command: "sh" } } } }, /Cannot pass config\.mcp_servers/],
      ["config's permissions", { config: { default_permissions: "wide" } }, /default_permissions/],
      ["profile", { profile: "wide" }, /\(from profile\).*--max-sandbox/],
      ["env's home", { env: { CODEX_HOME: outside } }, /Cannot pass env\.CODEX_HOME.*--env/],
      ["env's programs", { env: { PATH: outside } }, /Cannot pass env\.PATH.*--env/],
      ["env's libraries", { env: { LD_PRELOAD: "/tmp/x.so" } }, /Cannot pass env\.LD_PRELOAD.*--env/],
      ["env's place for what is writable", { env: { TMPDIR: outside } }, /Cannot pass env\.TMPDIR.*--env/],
      ["env's model provider", { env: { OPENAI_BASE_URL: "http://x" } }, /Cannot pass env\.OPENAI_BASE_URL.*--env/],
    ];
    for (const [name, args, message] of rows) {
      await t.step(name, async () => {
        const { text, isError } = await swarm.call("codex", { prompt: "go", ...args });
        assert.match(text, message);
        assert.equal(isError, true);
        assertNothingStarted(swarm, codex);
      });
    }
    await t.step("a profile's roots", async () => {
      profile(`sandbox_mode = "workspace-write"\n[sandbox_workspace_write]\nwritable_roots = ["${outside}"]\n`);
      const { text, isError } = await swarm.call("codex", { prompt: "go", profile: "wide" });
      assert.match(text, /writable_roots .*--root/);
      assert.equal(isError, true);
      assertNothingStarted(swarm, codex);
    });
  });

  await t.step("what lies within the limits is served (control)", async () => {
    const { structured, isError } = await bounded.swarm.call("codex", {
      prompt: "fake:echo_args",
      cwd: "inside/../inside",
      sandbox: "workspace-write",
      "add-dirs": ["."],
      config: { model_verbosity: "low" },
      env: { GREETING: "hello" },
    });
    assert.equal(isError, false);
    assert.deepEqual(JSON.parse(structured.content).args.slice(0, 3), ["exec", "-s", "workspace-write"]);
  });

  await t.step("a sandbox that is merely configured is lowered to the limit, and the answer says so", async () => {
    Deno.writeTextFileSync(join(bounded.codex.home, "config.toml"), 'sandbox_mode = "danger-full-access"\n');
    const { structured } = await bounded.swarm.call("codex", { prompt: "fake:echo_args" });
    assert.deepEqual(JSON.parse(structured.content).args.slice(0, 3), ["exec", "-s", "workspace-write"]);
    assert.deepEqual(structured.sandbox, { mode: "workspace-write", source: "limit", network: false });
    assert.match(structured.notes.join("\n"), /lowered to workspace-write by --max-sandbox/);
  });
});

Deno.test("under a root an agent works where the links led when it was started, wherever they lead later", async () => {
  await using bounded = await startBounded();
  const { swarm, root, outside } = bounded;
  const link = join(root, "link");
  Deno.symlinkSync(join(root, "inside"), link);
  const { structured } = await swarm.call("codex", { prompt: "fake:echo_args", cwd: "link", "add-dirs": [link] });
  const real = Deno.realPathSync(join(root, "inside"));
  const { args, cwd } = JSON.parse(structured.content);
  assert.deepEqual({ cwd, named: args.slice(1, 5) }, {
    cwd: real,
    named: ["-s", "read-only", "-C", real],
  });
  assert.equal(args[args.indexOf("--add-dir") + 1], real);
  assert.ok(!JSON.stringify(args).includes(outside));
});

Deno.test("a root that is a link is the directory it leads to", async () => {
  await using links = await tempDirectory();
  await using repo = await tempRepo();
  const link = join(links.path, "link");
  Deno.symlinkSync(repo.path, link);
  await using swarm = await startSwarm({ cwd: repo.path, args: ["--root", link] });
  for (const cwd of [link, repo.path]) {
    const { text, isError } = await swarm.call("codex", { prompt: "fake:say(hello)", cwd });
    assert.equal(isError, false, text);
  }
});

Deno.test("continuing a thread does not lead beyond the limits either", async (t) => {
  await using stateDir = await tempDirectory();
  await using bounded = await startBounded({ stateDir: stateDir.path });
  const { swarm, codex, root, outside } = bounded;
  await using free = await startSwarm({ codex, cwd: root, stateDir: stateDir.path });
  const begin = async (args: Readonly<Record<string, unknown>>): Promise<string> => {
    const { structured, text, isError } = await free.call("codex", { prompt: "fake:say(first)", ...args });
    assert.equal(isError, false, text);
    return structured.threadId;
  };
  const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
    ["sandbox", { sandbox: "danger-full-access" }, /\(from thread\).*--max-sandbox.*Use codex\(threadId, sandbox=/],
    ["cwd", { cwd: outside }, /Cannot use cwd .*--root/],
    ["add-dirs", { sandbox: "workspace-write", "add-dirs": [outside] }, /Cannot use add-dirs .*--root/],
    ["config", { config: { notify: ["true"] } }, /Cannot pass config\.notify/],
  ];
  for (const [name, args, message] of rows) {
    await t.step(name, async () => {
      const threadId = await begin(args);
      const runs = codex.ledger().length;
      for (const tool of ["codex", "codex_reply"]) {
        const { text, isError } = await swarm.call(tool, { threadId, prompt: "fake:say(second)" });
        assert.match(text, message);
        assert.equal(isError, true);
      }
      assert.equal(codex.ledger().length, runs);
    });
  }
  await t.step("within them (control)", async () => {
    const threadId = await begin({ sandbox: "workspace-write" });
    const { structured, isError } = await swarm.call("codex_reply", { threadId, prompt: "fake:say(second)" });
    assert.deepEqual({ isError, content: structured.content }, { isError: false, content: "second" });
  });
});

Deno.test("a --root that is not there ends the start and is named", async () => {
  await using home = await tempDirectory();
  await using server = new ServerProcess({
    args: ["--root", join(home.path, "nothing")],
    env: baseEnvironment(home.path),
    cwd: home.path,
  });
  assert.equal((await server.ended).code, 2);
  assert.match(server.stderr, /Cannot use --root .*nothing: there is no such directory/);
});
