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

/** Why a program could not be started by {@linkcode inOwnSession}, by what came of it; `null` when it was. */
export function whyNotStarted({ code, stderr }: { readonly code: number; readonly stderr: string }): string | null {
  return code === 126 || code === 127 ? /^setsid: (.+)/.exec(stderr)?.[1] ?? null : null;
}

/** Signals all that is in the session of a child; nothing when it has ended. */
export function signalSession(child: Deno.ChildProcess, signal: Deno.Signal): void {
  // Where there are no groups, or setsid(1) has only just begun, there is the child alone.
  const ways = Deno.build.os === "windows" ? [] : [(): void => Deno.kill(-child.pid, signal)];
  for (const way of [...ways, (): void => child.kill(signal)]) {
    try {
      return way();
    } catch {
      // It is not there, or not any more.
    }
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
