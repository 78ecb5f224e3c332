/** Tells a run that works in silence from one in which nothing moves. Pure. */
import type { Progress } from "../task/task.ts";

/** Share of a processor below which a run does not work: what waits still wakes now and then. */
const IDLE_SHARE = 0.01;
/** CPU time that is no work in however short a time: systems count it in ticks of 10 ms. */
const IDLE_MS = 20;

/** What was seen of a silent run at one moment. */
export interface Sample {
  readonly at: Date;
  /** CPU time of the agent and all that belongs to it. */
  readonly cpuMs: number;
  /** Files in its working directory have changed since the last time anything moved; `null` when nobody has looked. */
  readonly haveFilesChanged: boolean | null;
}

/** When a run last moved, as far as its samples tell. */
export interface Stillness {
  /** The last time that output came, CPU time was used or files changed. */
  readonly stillSince: Date;
  readonly last: Sample;
}

/** Adds a sample; `outputAt` is when the run last wrote anything. */
export function addSample(before: Stillness | null, sample: Sample, outputAt: Date): Stillness {
  // A new silence: what was seen in an earlier one says nothing about it.
  if (before === null || before.last.at < outputAt) return { stillSince: outputAt, last: sample };
  const elapsedMs = sample.at.getTime() - before.last.at.getTime();
  const hasWorked = sample.cpuMs - before.last.cpuMs > Math.max(elapsedMs * IDLE_SHARE, IDLE_MS);
  const hasMoved = hasWorked || sample.haveFilesChanged === true;
  return { stillSince: hasMoved ? sample.at : before.stillSince, last: sample };
}

/** What a silent run does, as far as its events tell. */
export function silenceWords({ waitingForNetwork, currentCommand }: Progress): string {
  if (waitingForNetwork !== null) return "waiting for network";
  return currentCommand === null ? "waiting for the model or hung, cannot tell" : "running a command";
}
