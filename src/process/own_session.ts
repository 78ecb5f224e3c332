/** Where systems keep setsid(1), if they have it. */
const PLACES = ["/usr/bin/setsid", "/bin/setsid"];

let setsid: string | null | undefined;

/**
 * What `Deno.Command` is given to start a program in a session of its own, under the same process id. By setsid(1) where
 * there is one: for `detached` Deno forks itself, which takes the longer the more memory it uses, 0.3 s with 2 GB.
 */
export function inOwnSession(
  program: string,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args" | "detached">,
): [program: string, options: Deno.CommandOptions] {
  if (setsid === undefined) setsid = PLACES.find(isThere) ?? null;
  if (setsid === null) return [program, { ...options, args: [...args], detached: true }];
  return [setsid, { ...options, args: [program, ...args] }];
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
