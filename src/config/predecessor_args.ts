/**
 * What stands in the `args` of those who come from codex-mcp-swarm, codex-as-mcp or `codex mcp-server` and change only
 * the command: the words and flags of their launchers (uvx, uv, pipx, npx) and of Codex.
 */

interface PredecessorFlag {
  readonly short?: string;
  /** It takes a value. */
  readonly hasValue: boolean;
  /** What does here what the flag says; absent for a launcher's own flag. */
  readonly instead?: (value: string) => string;
}

const flags: Readonly<Record<string, PredecessorFlag>> = {
  // uvx, uv, pipx, npx
  "upgrade": { short: "U", hasValue: false },
  "refresh": { hasValue: false },
  "yes": { short: "y", hasValue: false },
  "from": { hasValue: true },
  "python": { hasValue: true },
  "directory": { hasValue: true },
  // codex, and `-m` of python
  "model": { short: "m", hasValue: true, instead: (value) => `-c model=${value}` },
  "sandbox": { short: "s", hasValue: true, instead: (value) => `-c sandbox_mode=${value}` },
  "ask-for-approval": { short: "a", hasValue: true, instead: (value) => `-c approval_policy=${value}` },
  "profile": { short: "p", hasValue: true, instead: () => "the parameter profile of a call" },
  "cd": { short: "C", hasValue: true, instead: () => "the parameter cwd of a call" },
  "full-auto": { hasValue: false, instead: () => "-c sandbox_mode=workspace-write" },
  "dangerously-bypass-approvals-and-sandbox": {
    hasValue: false,
    instead: () => "-c sandbox_mode=danger-full-access",
  },
  "yolo": { hasValue: false, instead: () => "-c sandbox_mode=danger-full-access" },
  "search": { hasValue: false, instead: () => "-c web_search=live" },
  "oss": { hasValue: false, instead: () => "-c model_provider=ollama" },
};
export const PREDECESSOR_FLAGS = flags;

/** Codex's switches for features: the same as `-c features.NAME=true` or `false`. */
export const FEATURE_FLAGS: Readonly<Record<string, boolean>> = { enable: true, disable: false };

/** Tells whether a positional names a predecessor, with or without a version. */
export function isPredecessorName(word: string): boolean {
  return /^(codex-mcp-swarm|codex-as-mcp|codex_as_mcp)([@=<>~![].*)?$/.test(word) ||
    /^(@openai\/)?codex(@.*)?$/.test(word) ||
    /(^|[\\/])codex_mcp_swarm(\.py)?$/.test(word);
}

/** Tells whether a positional is how a launcher gets to a predecessor; alone it means nothing here. */
export function isLauncherWord(word: string): boolean {
  return /^(uvx?|pipx|npx|run|tool|\/c|(.*[\\/])?python[\d.]*)$/.test(word);
}
