/** Reads what `codex --version` and `codex exec --help` print. */

/** The oldest Codex whose `exec --json` and `exec resume` this program understands. */
export const OLDEST_CODEX = "0.46";
const OLDEST_MINOR = 46;

/** Returns the version in the output of `codex --version`, or `null` if that was not Codex. */
export function parseVersion(output: string): string | null {
  return /^codex(?:-cli)? v?(\d+\.\d+\.\d+\S*)/m.exec(output)?.[1] ?? null;
}

/** Tells whether this program cannot work with the version. `0.0.0` is a build from source, taken for new. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  if (major === 0 && minor === 0 && patch === 0) return false;
  return major === 0 && minor < OLDEST_MINOR;
}

/** Returns the long flags that a help text lists, `--` included. */
export function parseFlags(help: string): string[] {
  const flags = new Set<string>();
  for (const match of help.matchAll(/^ +(?:-\w, )?(--[a-z][a-z0-9-]*)/gm)) {
    if (match[1] !== undefined) flags.add(match[1]);
  }
  return [...flags];
}

/** Tells whether a help text lists the subcommand. */
export function hasSubcommand(help: string, name: string): boolean {
  return new RegExp(`^ {2,4}${name}(?: |$)`, "m").test(help);
}
