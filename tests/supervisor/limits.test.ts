import assert from "node:assert/strict";
import { checkLeading, checkRoot, isInside, type Limits, limitSandbox } from "../../src/supervisor/limits.ts";
import { TaskError } from "../../src/task/errors.ts";
import type { EffectiveSandbox, SandboxMode } from "../../src/task/task.ts";

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
    assert.equal(
      refusal(() => limitSandbox(sandbox("workspace-write", source), limits)),
      `Cannot run with sandbox workspace-write (from ${source}): this server was started with --max-sandbox ` +
        'read-only. Pass sandbox="read-only" or less, or restart the server with a wider limit.',
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
      `Cannot use add-dirs ${path}: this server was started with --root /a --root /b/c. Choose a directory inside, or ` +
        "restart the server with another --root.",
    );
  }
});

Deno.test("checkLeading() lets all settings and variables through without a limit", () => {
  checkLeading({ config: { notify: ["sh"] }, env: { PATH: "/x", CODEX_HOME: "/x" } }, UNLIMITED);
});

Deno.test("checkLeading() refuses settings and variables that could lead around a limit", () => {
  const bySandbox: Limits = { maxSandbox: "workspace-write", roots: [] };
  const byRoot: Limits = { maxSandbox: null, roots: ["/a"] };
  checkLeading({ config: { model: "m", model_reasoning_effort: "low" }, env: { RUST_LOG: "info" } }, bySandbox);
  for (const key of ["notify", "sandbox_workspace_write", "mcp_servers", "profile", "mcp_servers.x.command"]) {
    const message = refusal(() => checkLeading({ config: { [key]: "x" }, env: {} }, bySandbox));
    assert.ok(
      message.startsWith(`Cannot pass config.${key}: under --max-sandbox a call may only set model, `),
      message,
    );
  }
  for (const name of ["CODEX_HOME", "PATH", "HOME", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV"]) {
    assert.equal(
      refusal(() => checkLeading({ config: {}, env: { [name]: "x" } }, byRoot)),
      `Cannot pass env.${name}: under --root it could lead around the limit. Give it to the server with --env instead.`,
    );
  }
});

Deno.test("isInside() knows a directory from its neighbour", () => {
  assert.equal(isInside("/a/b", "/a/b"), true);
  assert.equal(isInside("/a/b/c", "/a/b"), true);
  assert.equal(isInside("/a/b/..c", "/a/b"), true);
  assert.equal(isInside("/a/bc", "/a/b"), false);
  assert.equal(isInside("/a", "/a/b"), false);
});
