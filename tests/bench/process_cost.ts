/** What processes use, as Linux tells it under /proc. */

export interface Memory {
  /** Resident, and the share of it with pages that several processes have divided among them; in MB. */
  readonly rssMb: number;
  readonly pssMb: number;
}

/** Tells whether figures of processes can be had here. */
export function hasProcessFigures(): boolean {
  return read("/proc/self/smaps_rollup") !== null;
}

/**
 * The processes of a server: itself, all that name its state directory in their command or environment, and what is
 * below any of these; without its agents and what is below them.
 */
export function processesOf(
  { server, stateDir, agents }: {
    readonly server: number;
    readonly stateDir: string;
    readonly agents: ReadonlySet<number>;
  },
): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : null;
    if (parent !== null) parents.set(Number(name), parent);
  }
  const isIts = (pid: number): boolean =>
    pid === server ||
    ["cmdline", "environ"].some((file) => read(`/proc/${pid}/${file}`)?.includes(stateDir) === true);
  const belongs = (pid: number): boolean => {
    let isFound = false;
    for (let at: number | undefined = pid; at !== undefined && at > 1 && at !== Deno.pid; at = parents.get(at)) {
      if (agents.has(at)) return false;
      isFound ||= isIts(at);
    }
    return isFound;
  };
  return [...parents.keys()].filter(belongs);
}

/** Memory of all these together; one that has ended meanwhile has none. */
export function memoryOf(pids: readonly number[]): Memory {
  const texts = pids.map((pid) => read(`/proc/${pid}/smaps_rollup`) ?? "");
  const sum = (name: string): number =>
    texts.reduce((total, text) => total + Number(new RegExp(`^${name}: *(\\d+) kB`, "m").exec(text)?.[1] ?? 0), 0);
  return { rssMb: sum("Rss") / 1024, pssMb: sum("Pss") / 1024 };
}

/** How many files a process has open. */
export function openFilesOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** CPU time that all these have used so far, with that of their children that have ended; in ms. */
export function cpuMsOf(pids: readonly number[]): number {
  let ms = 0;
  for (const pid of pids) {
    const [utime, stime, cutime, cstime] = (statOf(pid) ?? []).slice(11, 15).map(Number);
    const threads = threadsOf(pid);
    // The scheduler counts in nanoseconds, but forgets threads that have ended; the rest is in ticks, 100 a second.
    ms += threads.length === 1
      ? Number(read(`/proc/${pid}/task/${threads[0]}/schedstat`)?.split(" ")[0] ?? 0) / 1e6
      : 10 * ((utime ?? 0) + (stime ?? 0));
    ms += 10 * ((cutime ?? 0) + (cstime ?? 0));
  }
  return ms;
}

function threadsOf(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | null {
  const parent = statOf(pid)?.[1];
  return parent === undefined ? null : Number(parent);
}

/** Field 3, the state, and all after it. */
function statOf(pid: number): string[] | null {
  return read(`/proc/${pid}/stat`)?.replace(/^.*\) /s, "").split(" ") ?? null;
}

function read(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}
