/** Names that a shell can export; it drops all others, among them the functions that bash exports. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A shell may refuse these to be set, and end by it. */
const TOUCHY: ReadonlySet<string> = new Set([
  "BASHOPTS",
  "BASH_VERSINFO",
  "EUID",
  "GROUPS",
  "OPTIND",
  "PPID",
  "SHELLOPTS",
  "UID",
]);

/**
 * Wraps an agent's environment so that it can go through a shell that must not heed it: each value under a name that
 * means nothing, and in `SHIM_RESTORE` the shell code that gives them their names back, and the agent its umask. Nothing in `env` can run in the
 * shell, or change how it runs, before that; what a shell cannot export is dropped. `PWD` becomes the shell's own.
 */
export function handOver(
  env: Readonly<Record<string, string>>,
  { umask }: { readonly umask: number },
): Record<string, string> {
  const wrapped: Record<string, string> = {};
  const plain: string[] = [];
  const touchy: string[] = [];
  const names = Object.keys(env).filter((name) => NAME.test(name));
  for (const [index, name] of names.entries()) {
    if (name === "PWD") {
      plain.push(name);
      continue;
    }
    const wrapper = `SHIM_${index}`;
    wrapped[wrapper] = env[name] ?? "";
    const assignment = `${name}="$${wrapper}"`;
    if (TOUCHY.has(name)) touchy.push(`(export ${assignment}) && export ${assignment}`);
    else plain.push(assignment);
  }
  const restore = [
    `umask ${umask.toString(8)}`,
    ...touchy,
    ...(env.PATH === undefined ? ["unset PATH"] : []),
    ...(plain.length === 0 ? [] : [`export ${plain.join(" ")}`]),
    `unset ${[...Object.keys(wrapped), "SHIM_RESTORE"].join(" ")}`,
  ];
  return { ...wrapped, SHIM_RESTORE: restore.join("\n") };
}
