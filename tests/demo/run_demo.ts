/** The demo itself: a real MCP client drives the real server, which runs three agents at once. */
import { startSwarm, type Swarm, type SwarmOptions } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { DEMO_AGENTS, DEMO_FILES, type DemoAgent } from "./agents.ts";
import { LiveLines, type Screen } from "./screen.ts";

export interface DemoOptions {
  readonly codex: { readonly path: string; readonly home: string };
  /** What the scripted Codex does between two steps; `null` for a real Codex, which gets no script. */
  readonly pause: string | null;
  /** On top of the little that a server needs. */
  readonly env?: Readonly<Record<string, string>>;
  readonly agents?: readonly DemoAgent[];
  readonly screen: Screen;
  /** Ends the demo and its agents. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks. */
const REFRESH_MS = 250;

/** As much of `structuredContent` as the demo shows. */
interface TaskData {
  readonly task_id: string;
  readonly status: string;
  readonly label: string;
  readonly elapsed_seconds: number;
  readonly current_command?: string;
  readonly last_command?: { readonly command: string };
  readonly last_reasoning?: string;
  readonly tools_called?: number;
  readonly answer?: string;
  readonly failure?: { readonly message: string; readonly action: string };
  readonly files_changed?: readonly { readonly path: string; readonly kind: string }[];
  readonly started_at?: string;
  readonly ended_at?: string;
}

const INTERRUPTED = 130;

/** Runs the demo. Returns the exit code: 1 when an agent failed or they did not work at the same time. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { screen, codex, pause, agents = DEMO_AGENTS } = options;
  const say = (text = ""): void => screen.write(`${text}\n`);
  await using repository = await tempRepo({ files: DEMO_FILES });
  say(
    pause === null
      ? `Codex is the real one (${codex.path}).`
      : "Codex is SCRIPTED here: no model, no account, no network. The server, the client, the commands and the edits " +
        "are real.\nTo see your own Codex do the same: add --codex.",
  );
  say(`\nA git repository of ${Object.keys(DEMO_FILES).length} files: ${repository.path}`);
  await using state = await tempDirectory();
  const swarmOptions: SwarmOptions = {
    codex,
    cwd: repository.path,
    stateDir: state.path,
    clientName: "codex-swarm-demo",
    ...(options.env === undefined ? {} : { env: options.env }),
  };
  await using swarm = await startSwarm(swarmOptions);
  const { tools } = await swarm.client.listTools();
  say(`The server offers: ${tools.map(({ name }) => name).join(", ")}\n`);

  const startedAt = performance.now();
  const started = await Promise.all(agents.map((agent) => start(swarm, agent, pause)));
  const refused = started.flatMap((answer) => typeof answer === "string" ? [answer] : []);
  if (refused.length > 0) {
    for (const reason of refused) say(reason);
    return 1;
  }
  const ids = started.flatMap((answer) => typeof answer === "string" ? [] : [answer.id]);
  say(`${ids.length} agents started by codex_async:`);
  const ended = await unlessAborted(follow(swarm, ids, screen), options.signal);
  if (ended === null) {
    say("Stopping the agents.");
    await stopAll(ids, swarmOptions);
    return INTERRUPTED;
  }
  const seconds = (performance.now() - startedAt) / 1000;

  for (const task of ended) showResult(task, say);
  say("\ngit status of the repository:");
  say(await repository.git("status", "--short", "--untracked-files=all"));
  const alone = ended.reduce((sum, task) => sum + secondsOf(task), 0);
  const overlap = hasOverlap(ended);
  const failures = ended.filter(({ status }) => status !== "completed").length;
  say(`\nTogether ${seconds.toFixed(1)} s; one after the other ${alone.toFixed(1)} s.`);
  if (failures > 0) say(`${failures} of ${ended.length} agents failed.`);
  if (!overlap) say("The agents did not work at the same time.");
  return failures === 0 && overlap ? 0 : 1;
}

/** The promise's value, or `null` when the signal comes first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  signal.addEventListener("abort", () => resolve(null), { once: true });
  if (signal.aborted) resolve(null);
  // It fails in its own time when the server has gone too.
  promise.catch(() => undefined);
  return await Promise.race([aborted, promise]);
}

/** Cancels the agents through a server of its own: Ctrl-C ends the first one too, and they would outlive it. */
async function stopAll(ids: readonly string[], options: SwarmOptions): Promise<void> {
  await using swarm = await startSwarm(options);
  await Promise.all(ids.map((id) => swarm.call("codex_cancel", { task_id: id })));
}

/** Starts an agent. Yields its task id, or what the server says against it. */
async function start(swarm: Swarm, agent: DemoAgent, pause: string | null): Promise<{ id: string } | string> {
  const prompt = pause === null ? agent.prompt : `${agent.prompt}\n\n${agent.script.join(` ${pause} `)}`;
  const { structured, text, isError } = await swarm.call("codex_async", {
    prompt,
    label: agent.label,
    sandbox: "workspace-write",
  });
  return isError ? text : { id: structured.task_id };
}

/** Shows the agents at work until codex_wait has told all ends. */
async function follow(swarm: Swarm, ids: readonly string[], screen: Screen): Promise<TaskData[]> {
  const lines = new LiveLines(screen);
  const width = Math.max(...(await look(swarm, ids)).map(({ label }) => label.length));
  let hasEnded = false;
  const waiting = waitForAll(swarm, ids).finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    lines.show((await look(swarm, ids)).map((task) => `  ${task.label.padEnd(width)}  ${describe(task, screen)}`));
    const refresh = Promise.withResolvers<void>();
    const timer = setTimeout(refresh.resolve, REFRESH_MS);
    await Promise.race([refresh.promise, waiting]);
    clearTimeout(timer);
  }
  const ended = await waiting;
  lines.show(ended.map((task) => `  ${task.label.padEnd(width)}  ${describe(task, screen)}`));
  return ended;
}

async function look(swarm: Swarm, ids: readonly string[]): Promise<readonly TaskData[]> {
  return (await swarm.call("codex_status", { task_ids: ids })).structured.tasks;
}

async function waitForAll(swarm: Swarm, ids: readonly string[]): Promise<TaskData[]> {
  const told = new Map<string, TaskData>();
  for (let cursor = ""; told.size < ids.length;) {
    const { structured } = await swarm.call("codex_wait", { task_ids: ids, cursor });
    const tasks: readonly TaskData[] = structured.tasks;
    for (const task of tasks) told.set(task.task_id, task);
    cursor = structured.cursor;
  }
  return ids.flatMap((id) => told.get(id) ?? []);
}

/** What an agent does right now, its time only where it can be replaced. */
function describe(task: TaskData, { isTerminal }: Screen): string {
  const doing = task.status === "running" ? work(task) : task.status;
  return isTerminal ? `${String(task.elapsed_seconds).padStart(3)} s  ${doing}` : doing;
}

function work({ current_command, last_command, last_reasoning }: TaskData): string {
  if (current_command !== undefined) return `runs: ${withoutShell(current_command)}`;
  const ran = last_command === undefined ? "" : ` (has run: ${withoutShell(last_command.command)})`;
  return `thinks: ${last_reasoning ?? "…"}${ran}`;
}

/** Codex runs each command in a shell, which says nothing here. */
function withoutShell(command: string): string {
  return command.replace(/^\S+ -lc '(.*)'$/s, "$1");
}

function showResult(task: TaskData, say: (text: string) => void): void {
  const files = (task.files_changed ?? []).map(({ path, kind }) => `${kind} ${path.split(/[\\/]/).at(-1)}`);
  say(
    `\n${task.label}, ${task.status} after ${secondsOf(task).toFixed(1)} s (${files.join(", ") || "no file changed"}):`,
  );
  say(`  ${(task.answer ?? "no answer").split("\n").join("\n  ")}`);
  if (task.failure !== undefined) say(`  ${task.failure.message}\n  ${task.failure.action}`);
}

function secondsOf({ started_at, ended_at }: TaskData): number {
  return started_at === undefined || ended_at === undefined
    ? 0
    : (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
}

/** Tells whether there was a moment at which all of them worked. */
function hasOverlap(tasks: readonly TaskData[]): boolean {
  const starts = tasks.map(({ started_at }) => Date.parse(started_at ?? ""));
  const ends = tasks.map(({ ended_at }) => Date.parse(ended_at ?? ""));
  return Math.max(...starts) < Math.min(...ends);
}
