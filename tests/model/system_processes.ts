/** What the kernel says of processes, where there is a /proc. */

/** State and start of a process; `null` when there is none. */
async function statOf(pid: number): Promise<{ readonly state: string; readonly start: string } | null> {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/stat`);
    const [state = "", ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, start: fields[18] ?? "" };
  } catch {
    return null;
  }
}

/** Tells whether the very process lives that was started then. */
export async function lives({ pid, start }: { readonly pid: number; readonly start: string }): Promise<boolean> {
  const stat = await statOf(pid);
  return stat !== null && stat.start === start && !/^[ZX]/.test(stat.state);
}

/** Sends SIGKILL to the very process that was started then; tells whether it was there. */
export async function killProcess(process: { readonly pid: number; readonly start: string }): Promise<boolean> {
  if (!await lives(process)) return false;
  try {
    Deno.kill(process.pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/** A process that lives. */
export interface SeenProcess {
  readonly pid: number;
  readonly start: string;
  readonly command: string;
  /** The task that its environment names. */
  readonly taskId: string | undefined;
}

const TASK_MARK = "CODEX_SWARM_TASK_ID=";

/** All that live and that this user may look at. */
export async function seeProcesses(): Promise<SeenProcess[]> {
  const seen: SeenProcess[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [environment, command] = await Promise.all(
        ["environ", "cmdline"].map((file) => Deno.readTextFile(`/proc/${name}/${file}`)),
      );
      const mark = environment?.split("\0").find((entry) => entry.startsWith(TASK_MARK));
      const stat = await statOf(Number(name));
      if (stat === null || /^[ZX]/.test(stat.state)) continue;
      seen.push({
        pid: Number(name),
        start: stat.start,
        command: command?.replaceAll("\0", " ") ?? "",
        taskId: mark?.slice(TASK_MARK.length),
      });
    } catch {
      // gone meanwhile, or another user's
    }
  }
  return seen;
}

/** Resident memory of a process in KiB, and how many files it holds open. */
export async function measureProcess(pid: number): Promise<{ readonly rssKib: number; readonly files: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const files = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
  return { rssKib: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]), files: files.length };
}
