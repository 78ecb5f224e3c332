/** The system's table of processes, as `ps` tells it. */

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** A zombie is dead: it only waits to be reaped. */
  readonly isZombie: boolean;
  readonly command: string;
}

export async function listProcesses(): Promise<ProcessEntry[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,args="],
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null) return [];
    const [, pid, parent, group, state = "", command = ""] = match;
    return [{
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      isZombie: state.startsWith("Z"),
      command,
    }];
  });
}

/** Tells whether the process runs; a zombie does not. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.pid === pid && !entry.isZombie);
}

/** Resident memory of a process, in KiB. */
export async function residentKib(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)], stdin: "null" }).output();
  return Number(new TextDecoder().decode(stdout).trim());
}
