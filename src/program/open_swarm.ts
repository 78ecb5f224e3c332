/** What works on the tasks of a state directory, for a server and for a person alike. */
import { join } from "node:path";
import { type CodexProbe, rememberProbe } from "../codex/probe.ts";
import type { Config } from "../config.ts";
import { Git } from "../git/git.ts";
import type { Log } from "../log.ts";
import { isNewerState } from "../storage/state_directory.ts";
import { RequestFiles } from "../storage/request_files.ts";
import { WorkDirectories } from "../storage/work_directory.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { SharedAnswers } from "../tools/shared_answers.ts";
import type { ToolServices } from "../tools/tool.ts";
import { RepositoryContent } from "../work/repository_content.ts";
import { runCheck } from "../work/run_check.ts";
import { Work } from "../work/work.ts";
import { Worktrees } from "../work/worktrees.ts";
import { makePlan } from "./make_plan.ts";
import { makeSupervisor } from "./make_supervisor.ts";
import type { Program } from "./program.ts";
import { probeCache } from "./state_places.ts";

/** All that tools need. */
export interface Swarm {
  readonly supervisor: Supervisor;
  readonly services: ToolServices;
}

/** Puts the parts together; nothing runs until the supervisor is opened. */
export async function openSwarm(
  config: Config,
  { program, log }: { readonly program: Program; readonly log: Log },
): Promise<Swarm> {
  const probe = makeProbe(config, log);
  const isReadOnly = await isNewerState(config.stateDir);
  if (isReadOnly) log.warning("the state directory is a newer program's: its tasks can only be looked at");
  const env = { ...config.env, ...config.agentEnv };
  const git = new Git(env);
  const content = new RepositoryContent(git, join(config.stateDir, "git"));
  const now = (): Date => new Date();
  const allowed = new Set(config.allowedCommands);
  const parts = { git, content, directories: new WorkDirectories(join(config.stateDir, "work")), env, log, now };
  const worktrees = new Worktrees(parts);
  const work = new Work({
    ...parts,
    stateDir: config.stateDir,
    worktreesDir: config.worktreesDir,
    retentionMs: config.retentionMs,
    isInUse: (id, directory) => supervisor.whoWorksIn(id, directory),
    check: (command, at) =>
      runCheck(command, at, { git, content, probe, env, allowed, directory: join(config.stateDir, "checks") }),
  });
  const supervisor: Supervisor = makeSupervisor(config, { probe, isReadOnly, worktrees, work, log });
  const plan = makePlan(config, {
    program,
    supervisor,
    probe,
    worktrees: {
      git,
      content,
      stateDir: config.stateDir,
      allowedCommands: allowed,
      at: (path) => worktrees.at(path),
      now,
    },
    log,
  });
  const services = {
    supervisor,
    minWaitMs: config.minWaitMs,
    cwd: config.cwd,
    agents: config.agents,
    lists: new SharedAnswers(),
    work,
    requests: new RequestFiles(config.stateDir),
    plan,
    log,
  };
  return { supervisor, services };
}

function makeProbe(config: Config, log: Log): () => Promise<CodexProbe> {
  return rememberProbe({
    ...(config.codex.path === undefined ? {} : { configured: config.codex.path }),
    env: { ...config.env, ...config.agentEnv },
    home: config.home,
    cacheFile: probeCache(config),
    log,
  });
}
