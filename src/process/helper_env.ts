/** Where every system has sleep(1), ps(1) and the like. */
const SYSTEM_PATH = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/**
 * The whole environment of our own helper commands: a PATH that finds the system's before any other of the same name,
 * and after them those of `env`, since not every system keeps them at these places.
 */
export function helperEnv(env: Readonly<Record<string, string>>): { readonly PATH: string } {
  const own = (env.PATH ?? "").split(":").filter((directory) => directory.startsWith("/"));
  return { PATH: [...new Set([...SYSTEM_PATH, ...own])].join(":") };
}
