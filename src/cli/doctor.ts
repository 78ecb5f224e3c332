/** `codex-swarm doctor`: looks at all that agents need, and says how to mend what is missing. */
import { dirname, join, sep } from "node:path";
import type { Log } from "../log.ts";
import { describeEnd, type EndedCommand, runToEnd } from "../process/run_to_end.ts";
import { reasonOf } from "../task/errors.ts";
import { checkCodex } from "./check_codex.ts";
import { type Finding, firstLine, formatFinding } from "./finding.ts";

export interface DoctorOptions {
  /** Of codex-swarm. */
  readonly version: string;
  /** `--codex`. */
  readonly codexPath?: string;
  /** The environment of the server. */
  readonly env: Readonly<Record<string, string>>;
  /** `--env`, on top of it for Codex. */
  readonly agentEnv: Readonly<Record<string, string>>;
  readonly home: string;
  /** Empty where nobody could tell. */
  readonly stateDir: string;
  readonly tasksDir: string;
  readonly worktreesDir: string;
  readonly logFile: string;
  /** The server's cache of what Codex can do. */
  readonly cacheFile: string;
  /** What was odd about flags and variables. */
  readonly warnings: readonly string[];
  readonly log: Log;
  readonly write: (text: string) => void;
}

const TIMEOUT_MS = 10_000;

/** Writes the findings. Returns the exit code: 1 when no agent can start. */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const { codexPath, env, agentEnv, home, cacheFile, log } = options;
  const configured = codexPath === undefined ? {} : { configured: codexPath };
  const findings = (await Promise.all([
    checkCodex({ ...configured, env: { ...env, ...agentEnv }, home, cacheFile, log }),
    checkShell(options),
    checkDirectories(options),
    checkGit(options),
  ])).flat();
  findings.push(...options.warnings.map((text): Finding => ({ level: "warning", text })));
  const problems = findings.filter(({ level }) => level === "problem").length;
  options.write(
    [
      `codex-swarm ${options.version}\n`,
      ...findings.map(formatFinding),
      problems === 0
        ? "Agents can start."
        : `No agent can start: ${problems === 1 ? "1 problem" : `${problems} problems`}.`,
    ].join("\n") + "\n",
  );
  return problems === 0 ? 0 : 1;
}

/** Each run is started by a shell, which holds its locks by `flock` where there is one, and does without it elsewhere. */
async function checkShell(options: DoctorOptions): Promise<Finding[]> {
  if (Deno.build.os === "windows") {
    return [{
      level: "warning",
      text: "On Windows agents run without the shim",
      details: ["An agent outlives its server, but then nobody sees its exit code or enforces its time limit."],
    }];
  }
  const result = await runInShell("command -v flock || echo none", options);
  if (result.exitCode !== 0) {
    return [{
      level: "problem",
      text: `The shell /bin/sh ${describeEnd(result)}: it starts every agent`,
      details: ["Install a POSIX shell there."],
    }];
  }
  const shell: Finding = { level: "ok", text: "Shell /bin/sh" };
  const flock = result.stdout.trim();
  const locks = flock === "none"
    ? "Locks: by process id and start time, since flock(1) was not found"
    : `Locks: by ${flock}`;
  return [shell, { level: "ok", text: locks }];
}

/** Agents work in repositories; the server itself only looks for them. */
async function checkGit(options: DoctorOptions): Promise<Finding[]> {
  const result = await runToEnd("git", ["--version"], { env: options.env, timeoutMs: TIMEOUT_MS });
  if (result.exitCode === 0) return [{ level: "ok", text: firstLine(result.stdout) }];
  return [{
    level: "warning",
    text: "git was not found in PATH: agents may miss it; codex-swarm runs it for nothing else than this line yet",
    details: ["Install git, or add its folder to PATH."],
  }];
}

function runInShell(script: string, { env }: DoctorOptions): Promise<EndedCommand> {
  return runToEnd("/bin/sh", ["-c", script], { env, timeoutMs: TIMEOUT_MS });
}

async function checkDirectories(
  { stateDir, tasksDir, worktreesDir, logFile }: DoctorOptions,
): Promise<Finding[]> {
  if (stateDir === "") {
    return [{ level: "problem", text: "The state directory is unknown", details: ["Set HOME, or --state-dir DIR."] }];
  }
  const directories: readonly Directory[] = [
    { name: "State directory", path: stateDir, setting: "--state-dir DIR", level: "problem" },
    { name: "Task directory", path: tasksDir, setting: "CODEX_SWARM_TASK_DIR", level: "problem" },
    { name: "Worktree directory", path: worktreesDir, setting: "CODEX_SWARM_WORKTREE_DIR", level: "warning" },
    { name: "Log directory", path: dirname(logFile), setting: "CODEX_SWARM_LOG", level: "warning" },
  ];
  const apart = directories.filter(({ path }) => !path.startsWith(stateDir + sep));
  return await Promise.all(apart.map(checkDirectory));
}

interface Directory {
  readonly name: string;
  readonly path: string;
  /** What chooses another one. */
  readonly setting: string;
  /** How bad it is when it cannot be written. */
  readonly level: "warning" | "problem";
}

async function checkDirectory({ name, path, setting, level }: Directory): Promise<Finding> {
  const obstacle = await findObstacle(path);
  if (obstacle === null) return { level: "ok", text: `${name} ${path}` };
  return {
    level,
    text: `${name} ${path} cannot be written: ${obstacle}`,
    details: [`Make it writable, or choose another with ${setting}.`],
  };
}

/** Tries to write into the directory, or where it would be made, and leaves nothing behind. Gives what stands against it. */
async function findObstacle(directory: string): Promise<string | null> {
  try {
    const attempt = join(directory, `.codex-swarm-doctor-${crypto.randomUUID()}`);
    await Deno.mkdir(attempt);
    await Deno.remove(attempt);
    return null;
  } catch (error) {
    const parent = dirname(directory);
    if (error instanceof Deno.errors.NotFound && parent !== directory) return await findObstacle(parent);
    return reasonOf(error);
  }
}
