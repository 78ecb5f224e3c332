import assert from "node:assert/strict";
import {
  checkRoot,
  checkSettings,
  checkVariables,
  isInside,
  type Limits,
  limitSandbox,
} from "../../src/supervisor/limits.ts";
import { TaskError } from "../../src/task/errors.ts";
import type { EffectiveSandbox, SandboxMode } from "../../src/task/spec.ts";

const UNLIMITED: Limits = { maxSandbox: null, roots: [] };

function sandbox(mode: SandboxMode, source: EffectiveSandbox["source"]): EffectiveSandbox {
  return { mode, source, network: null };
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof TaskError);
    assert.equal(error.code, "beyond_limit");
    return error.message;
  }
  assert.fail("it was not refused");
}

Deno.test("limitSandbox() leaves what is within the limit as it is", () => {
  const limits: Limits = { maxSandbox: "workspace-write", roots: [] };
  for (const mode of ["read-only", "workspace-write"] as const) {
    assert.deepEqual(limitSandbox(sandbox(mode, "call"), limits), sandbox(mode, "call"));
  }
  const full = sandbox("danger-full-access", "call");
  assert.deepEqual(limitSandbox(full, UNLIMITED), full);
});

Deno.test("limitSandbox() refuses what the caller chose beyond the limit and names the flag", () => {
  const limits: Limits = { maxSandbox: "read-only", roots: [] };
  for (const source of ["call", "call config", "profile", "thread"] as const) {
    // codex_reply has no parameter sandbox.
    const wayOut = source === "thread"
      ? 'Use codex(threadId, sandbox="read-only") instead'
      : 'Pass sandbox="read-only" or less';
    assert.equal(
      refusal(() => limitSandbox(sandbox("workspace-write", source), limits)),
      `Cannot run with sandbox workspace-write (from ${source}): this server was started with --max-sandbox ` +
        `read-only. ${wayOut}, or restart the server with a wider limit.`,
    );
  }
});

Deno.test("limitSandbox() lowers what was merely configured", () => {
  const limits: Limits = { maxSandbox: "read-only", roots: [] };
  for (const source of ["server config", "config.toml", "trusted project", "Codex default"] as const) {
    assert.deepEqual(limitSandbox(sandbox("danger-full-access", source), limits), sandbox("read-only", "limit"));
  }
});

Deno.test("checkRoot() refuses a directory outside all roots and names the flag", () => {
  const limits: Limits = { maxSandbox: null, roots: ["/a", "/b/c"] };
  for (const path of ["/a", "/a/x/y", "/b/c", "/b/c/..d"]) checkRoot(path, "cwd", limits);
  checkRoot("/anywhere", "cwd", UNLIMITED);
  for (const path of ["/", "/b", "/ab", "/b/cd"]) {
    assert.equal(
      refusal(() => checkRoot(path, "add-dirs", limits)),
      `Cannot use add-dirs ${path}: this server was started with --root /a --root /b/c, which bounds cwd and add-dirs ` +
        "only. Choose a directory inside, or restart the server with another --root.",
    );
  }
  assert.equal(
    refusal(() => checkRoot("/b", "cwd", { roots: ["/a"], maxSandbox: "workspace-write" })),
    "Cannot use cwd /b: this server was started with --root /a. Choose a directory inside, or restart the server with " +
      "another --root.",
  );
});

const BY_SANDBOX: Limits = { maxSandbox: "workspace-write", roots: [] };
const BY_ROOT: Limits = { maxSandbox: null, roots: ["/a"] };

Deno.test("checkSettings() refuses what could lead around a limit", () => {
  checkSettings({ notify: ["sh"] }, UNLIMITED);
  checkSettings({ model: "m", model_reasoning_effort: "low" }, BY_SANDBOX);
  for (const key of ["notify", "sandbox_workspace_write", "mcp_servers", "profile", "mcp_servers.x.command"]) {
    const message = refusal(() => checkSettings({ [key]: "x" }, BY_SANDBOX));
    assert.ok(
      message.startsWith(`Cannot pass config.${key}: under --max-sandbox a call may only set model, `),
      message,
    );
  }
});

Deno.test("checkVariables() refuses what could lead around a limit", () => {
  const leading = [
    ..."CODEX_HOME PATH Path HOME LD_PRELOAD DYLD_INSERT_LIBRARIES BASH_ENV BASHOPTS BASH_FUNC_ls ENV SHELL SHELLOPTS"
      .split(" "),
    ..."IFS PS4 PROMPT_COMMAND NODE_OPTIONS NODE_PATH npm_config_script_shell GIT_SSH_COMMAND GIT_DIR SSH_ASKPASS"
      .split(" "),
    ..."PYTHONPATH PYTHONSTARTUP PERL5LIB PERL5OPT RUBYOPT RUBYLIB JAVA_TOOL_OPTIONS _JAVA_OPTIONS CLASSPATH".split(
      " ",
    ),
    ..."RUSTC_WRAPPER DOTNET_STARTUP_HOOKS OPENAI_BASE_URL https_proxy ALL_PROXY SSL_CERT_FILE TMPDIR TEMP".split(" "),
    ..."XDG_CONFIG_HOME EDITOR PAGER KUBECONFIG SOME_OPTS ANYTHING_CONFIG".split(" "),
  ];
  for (const name of leading) {
    checkVariables({ [name]: "x" }, UNLIMITED);
    for (const [limits, flag] of [[BY_SANDBOX, "--max-sandbox"], [BY_ROOT, "--root"]] as const) {
      assert.equal(
        refusal(() => checkVariables({ GREETING: "hello", [name]: "x" }, limits)),
        `Cannot pass env.${name}: under ${flag} it could lead around the limit. Give it to the server with --env instead.`,
      );
    }
  }
});

Deno.test("checkVariables() lets a project's own variables through", () => {
  const own = "GREETING RUST_LOG CI TZ LANG NO_COLOR DATABASE_URL GITHUB_TOKEN OPENAI_API_KEY AWS_SECRET_ACCESS_KEY " +
    "GOAL PHASE HOMEPAGE DEBUG MY_APP_MODE PGPASSWORD";
  const env = Object.fromEntries(own.split(" ").map((name) => [name, "x"]));
  checkVariables(env, BY_SANDBOX);
  checkVariables(env, BY_ROOT);
});

Deno.test("isInside() knows a directory from its neighbour", () => {
  assert.equal(isInside("/a/b", "/a/b"), true);
  assert.equal(isInside("/a/b/c", "/a/b"), true);
  assert.equal(isInside("/a/b/..c", "/a/b"), true);
  assert.equal(isInside("/a/bc", "/a/b"), false);
  assert.equal(isInside("/a", "/a/b"), false);
});
