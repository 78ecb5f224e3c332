import { join } from "node:path";
import { bellDirectory } from "../codex/run_codex.ts";
import type { CodexProbe } from "../codex/probe.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { directHost, windowsTools } from "../process/direct.ts";
import { shimHost } from "../process/shim.ts";
import { StatePlaces } from "../storage/state_places.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import type { Work } from "../work/work.ts";
import type { Worktrees } from "../work/worktrees.ts";

/** Size of an agent's events beyond which their middle is dropped: more than any sound run writes. */
const MAX_EVENT_BYTES = 256 * 1024 * 1024;

/** Makes the supervisor of a state directory. */
export function makeSupervisor(
  config: Config,
  { probe, isReadOnly, worktrees, work, log }: {
    readonly probe: () => Promise<CodexProbe>;
    readonly isReadOnly: boolean;
    readonly worktrees: Worktrees;
    readonly work: Work;
    readonly log: Log;
  },
): Supervisor {
  const bell = bellDirectory(config.stateDir);
  const places = new StatePlaces(config.stateDir, [config.tasksDir, bell]);
  const prepare = (): Promise<void> => places.prepare();
  const host = Deno.build.os === "windows"
    ? directHost(prepare, windowsTools(config.env))
    : shimHost({ prepare, script: () => places.script() }, config.env);
  return new Supervisor({
    stateDir: config.stateDir,
    isReadOnly,
    tasksDir: config.tasksDir,
    openTasksDir: join(config.stateDir, "open"),
    slotsDir: join(config.stateDir, "slots"),
    usageLimitsDir: join(config.stateDir, "limits"),
    codexHome: config.codexHome,
    cwd: config.cwd,
    runner: { host, bell, orphanGraceMs: config.orphanGraceMs, maxEventBytes: MAX_EVENT_BYTES },
    worktrees,
    worktreesDir: config.worktreesDir,
    work,
    env: { ...config.env, ...config.agentEnv },
    givenEnvNames: new Set(Object.keys(config.agentEnv)),
    maxConcurrent: config.maxConcurrent,
    offlineTimeoutMs: config.offlineTimeoutMs,
    stallAfterMs: config.stallAfterMs,
    stallAction: config.stallAction,
    onUsageLimit: config.onUsageLimit,
    taskMaxAgeMs: config.taskMaxAgeMs,
    probe,
    log,
    now: () => new Date(),
    newId: () => crypto.randomUUID().slice(0, 8),
  });
}
