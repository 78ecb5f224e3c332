/** What a call may ask for under `--max-sandbox` and `--root`. */
import { isAbsolute, relative } from "node:path";
import { TaskError } from "../task/errors.ts";
import { type EffectiveSandbox, SANDBOX_MODES, type SandboxMode } from "../task/task.ts";

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
/** Variables that lead Codex to another configuration or load code into it. */
const LEADING_VARIABLES = /^(CODEX_|LD_|DYLD_|HOME$|PATH$|BASH_ENV$|ENV$|SHELL$|XDG_)/;

/** Sources that a caller chooses; the others belong to whoever runs the server. */
const CALLER_SOURCES: ReadonlySet<EffectiveSandbox["source"]> = new Set(["call", "call config", "profile", "thread"]);

/** Bounds a sandbox: what a call chose is refused beyond the limit, what was merely configured is lowered to it. */
export function limitSandbox(sandbox: EffectiveSandbox, { maxSandbox }: Limits): EffectiveSandbox {
  if (maxSandbox === null || rank(sandbox.mode) <= rank(maxSandbox)) return sandbox;
  if (!CALLER_SOURCES.has(sandbox.source)) return { ...sandbox, mode: maxSandbox, source: "limit" };
  throw new TaskError(
    "beyond_limit",
    `Cannot run with sandbox ${sandbox.mode} (from ${sandbox.source}): this server was started with ` +
      `--max-sandbox ${maxSandbox}. Pass sandbox="${maxSandbox}" or less, or restart the server with a wider limit.`,
  );
}

/** Throws `beyond_limit` for a directory outside all roots; `path` has its symbolic links resolved. */
export function checkRoot(path: string, parameter: string, { roots }: Limits): void {
  if (roots.length === 0 || roots.some((root) => isInside(path, root))) return;
  throw new TaskError(
    "beyond_limit",
    `Cannot use ${parameter} ${path}: this server was started with --root ${roots.join(" --root ")}. ` +
      "Choose a directory inside, or restart the server with another --root.",
  );
}

/** Throws `beyond_limit` for a `config` key or a variable that could lead around the limits. */
export function checkLeading(
  call: { readonly config: Readonly<Record<string, unknown>>; readonly env: Readonly<Record<string, string>> },
  limits: Limits,
): void {
  if (limits.maxSandbox === null && limits.roots.length === 0) return;
  const limit = limits.maxSandbox === null ? "--root" : "--max-sandbox";
  for (const key of Object.keys(call.config)) {
    if (HARMLESS_KEYS.has(key)) continue;
    throw new TaskError(
      "beyond_limit",
      `Cannot pass config.${key}: under ${limit} a call may only set ${[...HARMLESS_KEYS].join(", ")}. ` +
        "Give it to the server with -c instead.",
    );
  }
  for (const name of Object.keys(call.env)) {
    if (!LEADING_VARIABLES.test(name)) continue;
    throw new TaskError(
      "beyond_limit",
      `Cannot pass env.${name}: under ${limit} it could lead around the limit. Give it to the server with --env instead.`,
    );
  }
}

/** Tells whether `path` is `directory` or lies in it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way));
}

function rank(mode: SandboxMode): number {
  return SANDBOX_MODES.indexOf(mode);
}
