/** What a server looks at again and again while its agents run: whatever no event tells. */
import { processStateWords } from "../process/process_state.ts";
import type { Activity } from "../process/run_host.ts";
import { mayLeaveBehind, type StopReason } from "../task/task.ts";
import { FileWalks, type StillTask } from "./file_walks.ts";
import type { FollowedTask } from "./followed_task.ts";
import { RunClock } from "./run_clock.ts";
import type { RunTaskServices } from "./services.ts";
import { addSample, silenceWords, type Stillness } from "./stall_watch.ts";
import { SteadyTime } from "./steady_time.ts";

/** How often. */
const ROUND_MS = 5_000;

/** Looks at what a silent run does while it may become a stalled one. */
const LOOKS = 4;

/** What a round needs to know. */
export interface RoundsOptions {
  /** The tasks that this server drives. */
  readonly own: () => readonly FollowedTask[];
  readonly stop: (id: string, reason: StopReason) => Promise<unknown>;
  readonly offlineTimeoutMs: number;
  readonly stallAfterMs: number;
  readonly stallAction: "report" | "stop";
  readonly services: RunTaskServices;
  /** A clock that nobody sets; default this process's own. */
  readonly steadyMs?: () => number;
}

/** A run that has written nothing for long. */
export interface Silence {
  /** Since its last output. */
  readonly silentMs: number;
  /** It is known that neither output came, nor CPU time was used, nor files changed for as long as `--stall-after` says. */
  readonly isStalled: boolean;
  /** What it waits for, as far as its events tell. */
  readonly words: string;
  /** Of the agent's own process, in words. */
  readonly processState: string;
}

/** What is remembered of a silent run from one round to the next. */
interface Watched {
  readonly stillness: Stillness;
  readonly activity: Activity;
  readonly isStalled: boolean;
}

/** Looks after running tasks from its first start until it is stopped. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #watched = new Map<string, Watched>();
  /** Those whose thread the index knows. */
  readonly #noted = new Set<string>();
  /** From which offset on their events are trimmed next, where they have been trimmed. */
  readonly #trimAt = new Map<string, number>();
  readonly #steadyMs: () => number;
  readonly #silence: SteadyTime;
  readonly #offline: SteadyTime;
  readonly #clock = new RunClock();
  readonly #walks: FileWalks;
  #timer: ReturnType<typeof setInterval> | undefined;
  #round: Promise<void> | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#steadyMs = options.steadyMs ?? ((): number => performance.now());
    const clocks = { now: options.services.now, steadyMs: this.#steadyMs };
    this.#silence = new SteadyTime(clocks);
    this.#offline = new SteadyTime(clocks);
    // The dearest look, so it comes last and rarely.
    this.#walks = new FileWalks({ ...options.services, everyMs: options.stallAfterMs });
  }

  start(): void {
    const { offlineTimeoutMs, stallAfterMs } = this.#options;
    // A limit of a second, say, is looked at in time.
    const everyMs = Math.min(ROUND_MS, offlineTimeoutMs / 4, stallAfterMs / LOOKS);
    this.#timer ??= setInterval(() => {
      this.#round ??= this.#look().finally(() => this.#round = undefined);
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is known of a running task's silence; `null` while it is none. Of another server's task it is looked up now. */
  async silenceOf(followed: FollowedTask): Promise<Silence | null> {
    const { stallAfterMs } = this.#options;
    const silentMs = this.#silentMs(followed);
    if (silentMs === null || silentMs < stallAfterMs) return null;
    const watched = this.#watched.get(followed.task.id);
    const { path } = followed.directory;
    const activity = watched?.activity ?? await this.#observe(path);
    return {
      silentMs,
      isStalled: watched?.isStalled ?? false,
      words: silenceWords(followed.progress),
      processState: processStateWords(activity?.state),
    };
  }

  #silentMs(followed: FollowedTask): number | null {
    const outputAt = followed.outputAt();
    return outputAt === null ? null : this.#silence.since(followed.task.id, outputAt);
  }

  /** Looks at one run; whatever stands against that, what else is known of its task is told. */
  async #observe(directory: string): Promise<Activity | undefined> {
    const { runner: { host }, log } = this.#options.services;
    try {
      return (await host.observe([directory])).get(directory);
    } catch (error) {
      log.debug("a run could not be looked at", { directory, error });
      return undefined;
    }
  }

  async #look(): Promise<void> {
    const running = this.#options.own().filter(({ task }) => task.state.status === "running");
    const silent: FollowedTask[] = [];
    for (const followed of running) {
      try {
        if (await this.#lookAt(followed)) silent.push(followed);
      } catch (error) {
        this.#options.services.log.error("a task could not be looked at", { id: followed.task.id, error });
      }
    }
    const ids = new Set(running.map(({ task }) => task.id));
    for (const known of [this.#watched, this.#noted, this.#trimAt]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
    for (const times of [this.#silence, this.#offline, this.#clock, this.#walks]) times.keepOnly(ids);
    const roaming = running.filter(({ task }) => mayLeaveBehind(task)).map(({ directory }) => directory.path);
    const { runner: { host }, log } = this.#options.services;
    try {
      if (roaming.length > 0) await host.remember(roaming);
      if (silent.length > 0) await this.#lookAtSilent(silent);
    } catch (error) {
      log.error("tasks could not be looked at", { error });
    }
  }

  /** Tells whether the task has been silent for so long that what it does is to be looked at. */
  async #lookAt(followed: FollowedTask): Promise<boolean> {
    const { services, offlineTimeoutMs, stallAfterMs } = this.#options;
    const { runner: { host, maxEventBytes }, index } = services;
    const { directory, task: { id } } = followed;
    const { threadId } = await followed.refresh();
    // What was dropped counts on in the offset.
    if (followed.offset > (this.#trimAt.get(id) ?? maxEventBytes)) {
      this.#trimAt.set(id, followed.offset + maxEventBytes / 4);
      await host.trimEvents(directory.path, maxEventBytes);
    }
    if (threadId !== null && !this.#noted.has(id)) {
      await index.noteThread(threadId, id);
      this.#noted.add(id);
    }
    if (this.#clock.isOver(followed.task, this.#steadyMs())) {
      await this.#options.stop(id, "timeout");
      return false;
    }
    const { offlineSince } = followed;
    // Codex's own retries of a lost network never end by themselves.
    if (offlineSince !== null && this.#offline.since(id, offlineSince) >= offlineTimeoutMs) {
      await this.#options.stop(id, "offline");
      return false;
    }
    const silentMs = this.#silentMs(followed);
    if (silentMs === null || silentMs < stallAfterMs / LOOKS) {
      this.#watched.delete(id);
      return false;
    }
    // Its CPU time tells of the time between two looks only, so they begin well before it may be called stalled.
    const lastLook = this.#watched.get(id)?.stillness.last.at.getTime() ?? -Infinity;
    return this.#walks.hasNews(id) || this.#steadyMs() - lastLook >= stallAfterMs / LOOKS;
  }

  async #lookAtSilent(silent: readonly FollowedTask[]): Promise<void> {
    const { services, stallAfterMs, stallAction } = this.#options;
    const { runner: { host }, log } = services;
    const seen = await host.observe(silent.map(({ directory }) => directory.path));
    // All instants here are of the steady clock.
    const at = new Date(this.#steadyMs());
    const still: StillTask[] = [];
    const stalled: string[] = [];
    for (const followed of silent) {
      const { directory, task: { id, spec } } = followed;
      const activity = seen.get(directory.path);
      const silentMs = this.#silentMs(followed);
      if (activity === undefined || silentMs === null) continue;
      const outputAt = new Date(at.getTime() - silentMs);
      const before = this.#watched.get(id)?.stillness ?? null;
      const haveFilesChanged = before === null ? null : this.#walks.found(id, before.stillSince);
      const stillness = addSample(before, { at, cpuMs: activity.cpuMs, haveFilesChanged }, outputAt);
      const { stillSince } = stillness;
      const isStill = before !== null && at.getTime() - stillSince.getTime() >= stallAfterMs;
      if (isStill) still.push({ id, cwd: spec.cwd, stillSince });
      // Where the files cannot be looked through, nobody knows whether it works.
      const isStalled = isStill && this.#walks.found(id, stillSince) === false;
      this.#watched.set(id, { stillness, activity, isStalled });
      if (isStalled) stalled.push(id);
    }
    this.#walks.start(still, at);
    if (stallAction === "report") return;
    for (const id of stalled) {
      log.warning("a task is stopped because nothing moves in it", { id });
      await this.#options.stop(id, "stalled");
    }
  }
}
