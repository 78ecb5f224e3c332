/** One Codex process for one task: the engine behind the supervisor. */
import { join } from "node:path";
import type { HostedRun, RunHost } from "../process/run_host.ts";
import type { Task } from "../task/task.ts";
import { codexArgs, type CodexArgsInput } from "./codex_args.ts";
import { type CodexProbe, hasFlag } from "./probe.ts";

/** What every run of a server has in common. */
export interface CodexRunner {
  readonly host: RunHost;
  /** Directory in which the shims announce their ends. */
  readonly bell: string;
  readonly orphanGraceMs: number;
  /** Size of an event file beyond which its middle is dropped. */
  readonly maxEventBytes: number;
}

/** What one run needs besides its task. */
export interface RunRequest {
  readonly task: Task;
  readonly run: number;
  readonly directory: string;
  /** File in the directory that is the agent's prompt. */
  readonly input: string;
  /** Lock file of the slot, for the shim to hold. */
  readonly slot: string | null;
  readonly files: CodexArgsInput["files"];
  readonly probe: CodexProbe;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
}

/** A run of this server's own. */
export type CodexRun = Pick<HostedRun, "ended" | "release">;

/** Starts Codex for a task whose directory exists. Its events, its messages and its exit status go into that directory. */
export async function runCodex(runner: CodexRunner, request: RunRequest): Promise<CodexRun> {
  const { task, probe } = request;
  const args = codexArgs({
    spec: task.spec,
    taskId: task.id,
    depth: task.depth,
    files: request.files,
    isFlagSupported: (flag, command) => hasFlag(probe, flag, command),
    codexVersion: probe.version,
  });
  return await runner.host.start({
    directory: request.directory,
    run: request.run,
    input: request.input,
    slot: request.slot,
    mountRoots: mountRoots(task.spec, request.env),
    maxEventBytes: runner.maxEventBytes,
    limitMs: task.spec.timeoutMs,
    graceMs: task.spec.lifetime === "detached" ? null : runner.orphanGraceMs,
    bell: runner.bell,
    command: [probe.binary, ...args],
    cwd: task.spec.cwd,
    env: {
      ...request.env,
      ...npmMarkers(probe),
      CODEX_SWARM_TASK_ID: task.id,
      CODEX_SWARM_DEPTH: String(task.depth + 1),
    },
  });
}

/** Where Codex's sandbox for workspaces mounts empty directories over what an agent must not write to. */
function mountRoots(spec: Task["spec"], env: RunRequest["env"]): string[] {
  const { effectiveSandbox, cwd, addDirs, writableRoots = [] } = spec;
  if (effectiveSandbox.mode !== "workspace-write") return [];
  return [...new Set([cwd, ...addDirs, ...writableRoots, env["TMPDIR"] || "/tmp", "/tmp"])];
}

/** What the npm launcher would have set for the native binary that is started in its place. */
function npmMarkers(probe: CodexProbe): Record<string, string> {
  if (probe.packageRoot === undefined) return {};
  return { CODEX_MANAGED_BY_NPM: "1", CODEX_MANAGED_PACKAGE_ROOT: probe.packageRoot };
}

/** Where a server's shims announce their ends. */
export function bellDirectory(stateDir: string): string {
  return join(stateDir, "ended");
}
