/** What a call may ask for under `--max-sandbox` and `--root`. */
import { isAbsolute, relative } from "node:path";
import { TaskError } from "../task/errors.ts";
import { type EffectiveSandbox, SANDBOX_MODES, type SandboxMode } from "../task/spec.ts";

/** Bounds of the effective settings; `null` and an empty list are none. */
export interface Limits {
  readonly maxSandbox: SandboxMode | null;
  /** Absolute, symbolic links resolved. */
  readonly roots: readonly string[];
}

/** Keys of a call's `config` that can widen nothing. Others could start programs outside the sandbox, as `notify` does. */
const HARMLESS_KEYS = new Set([
  "model",
  "model_provider",
  "model_reasoning_effort",
  "model_reasoning_summary",
  "model_verbosity",
  "model_context_window",
  "model_auto_compact_token_limit",
  "service_tier",
  "developer_instructions",
  "compact_prompt",
  "approval_policy",
  "sandbox_mode",
  "web_search",
]);
/**
 * Variables that could lead around a limit. Codex runs outside its sandbox, and so do the shells, git, the MCP servers and
 * the hooks that it starts: from variables they take code, other settings, another model provider, and with TMPDIR a
 * directory that workspace-write makes writable. A list of what is harmless would leave out every name that a project
 * made up for itself, which is what `env` is mostly for, so what is refused is listed: the families of the programs that
 * are likely to run, and the endings by which others name such variables.
 */
const LEADING_VARIABLES = new RegExp(
  [
    // Codex and its model provider; a key for either is no way out, but CODEX_API_KEY would change the account.
    "^(CODEX_|OPENAI_(?!API_KEY$)|OSS_|AWS_(CONFIG|SHARED|PROFILE|ENDPOINT))",
    // The loader, the shell and the places that everything is looked for in.
    "^_*(LD_|DYLD_|GCONV_|BASH|ZDOTDIR$|ENV$|FPATH$|IFS$|PS[0-9]$|PROMPT_|SHELL|CDPATH$|GLOBIGNORE$|LESS(OPEN|CLOSE)$)",
    "^(PATH|PATHEXT|COMSPEC|HOME|HOMEDRIVE|USERPROFILE|(LOCAL)?APPDATA|PROGRAM(FILES|DATA)\\w*|SYSTEMROOT|WINDIR|PWD)$",
    "^(TMPDIR|TMP|TEMP|TEMPDIR|XDG_\\w*|DBUS_\\w*|TERMINFO\\w*|LOCPATH|NLSPATH)$",
    // Programs and their languages.
    "^(GIT_|SSH_|GPG_|GNUPG|NODE_|NPM_|DENO_|BUN_|YARN_|PYTHON|PIP_|UV_|VIRTUAL_ENV|CONDA_|PERL|RUBY|GEM_|BUNDLE_)",
    "^_?(JAVA|JDK|CLASSPATH|MAVEN_|GRADLE_|CARGO_|RUSTC|RUSTUP_|GO(PATH|ROOT|FLAGS|ENV|PROXY)|LUA_|PHP|DOTNET_|PSMODULE)",
    "^(EDITOR|VISUAL|PAGER|BROWSER|DOCKER_|KUBECONFIG$|OPENSSL_|SSL_|CURL_|REQUESTS_CA_|MAKEFLAGS$)",
    "(^|_)(OPTIONS|OPTS?|FLAGS|PATH|HOME|CONFIG(_FILE)?|CONF|RC|WRAPPER|COMMAND|CMD|EDITOR|PAGER|SHELL|PRELOAD|STARTUP)$",
    "_(PROXY|BASE_URL)$",
  ].join("|"),
  // Windows knows no case, and some are written small, as npm_config_* and https_proxy.
  "i",
);

/** Sources that a caller chooses; the others belong to whoever runs the server. */
const CALLER_SOURCES: ReadonlySet<EffectiveSandbox["source"]> = new Set(["call", "call config", "profile", "thread"]);

/** Bounds a sandbox: what a call chose is refused beyond the limit, what was merely configured is lowered to it. */
export function limitSandbox(sandbox: EffectiveSandbox, { maxSandbox }: Limits): EffectiveSandbox {
  if (maxSandbox === null || rank(sandbox.mode) <= rank(maxSandbox)) return sandbox;
  if (!CALLER_SOURCES.has(sandbox.source)) return { ...sandbox, mode: maxSandbox, source: "limit" };
  // codex_reply, which keeps a thread's sandbox, has no parameter for another.
  const wayOut = sandbox.source === "thread"
    ? `Use codex(threadId, sandbox="${maxSandbox}") instead`
    : `Pass sandbox="${maxSandbox}" or less`;
  throw new TaskError(
    "beyond_limit",
    `Cannot run with sandbox ${sandbox.mode} (from ${sandbox.source}): this server was started with ` +
      `--max-sandbox ${maxSandbox}. ${wayOut}, or restart the server with a wider limit.`,
  );
}

/** Throws `beyond_limit` for a directory outside all roots; `path` has its symbolic links resolved. */
export function checkRoot(path: string, parameter: string, { roots, maxSandbox }: Limits): void {
  if (roots.length === 0 || roots.some((root) => isInside(path, root))) return;
  const scope = maxSandbox === null ? ", which bounds cwd and add-dirs only" : "";
  throw new TaskError(
    "beyond_limit",
    `Cannot use ${parameter} ${path}: this server was started with --root ${roots.join(" --root ")}${scope}. ` +
      "Choose a directory inside, or restart the server with another --root.",
  );
}

/** Throws `beyond_limit` for a key of a call's `config` that could lead around the limits. */
export function checkSettings(config: Readonly<Record<string, unknown>>, limits: Limits): void {
  const key = isLimited(limits) ? Object.keys(config).find((key) => !HARMLESS_KEYS.has(key)) : undefined;
  if (key === undefined) return;
  throw new TaskError(
    "beyond_limit",
    `Cannot pass config.${key}: under ${limitOf(limits)} a call may only set ${[...HARMLESS_KEYS].join(", ")}. ` +
      "Give it to the server with -c instead.",
  );
}

/** Throws `beyond_limit` for a variable of a call that could lead around the limits. */
export function checkVariables(env: Readonly<Record<string, string>>, limits: Limits): void {
  const name = isLimited(limits) ? Object.keys(env).find((name) => LEADING_VARIABLES.test(name)) : undefined;
  if (name === undefined) return;
  throw new TaskError(
    "beyond_limit",
    `Cannot pass env.${name}: under ${limitOf(limits)} it could lead around the limit. ` +
      "Give it to the server with --env instead.",
  );
}

function isLimited({ maxSandbox, roots }: Limits): boolean {
  return maxSandbox !== null || roots.length > 0;
}

function limitOf({ maxSandbox }: Limits): string {
  return maxSandbox === null ? "--root" : "--max-sandbox";
}

/** Tells whether `path` is `directory` or lies in it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way));
}

function rank(mode: SandboxMode): number {
  return SANDBOX_MODES.indexOf(mode);
}
