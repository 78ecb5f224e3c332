import { readTail } from "../storage/tailed_file.ts";

/** How much of the end of a log is read to find out how far it has come. */
const TAIL_BYTES = 256 * 1024;

const BEGINNING = /^\{[^\n]*"event":"agent_start"/m;
const PROGRESS = /^\[[^\]\n]+\] \w+ +progress: \[agent\] \d+s elapsed; stdout=(\d+); stderr=(\d+); last: /gm;
const OUTPUT = /^\[[^\]\n]+\] \w+ +(stdout|stderr): /gm;

/** Lines of output. */
export interface OutputCounts {
  stdout: number;
  stderr: number;
}

/**
 * How many lines of output stand in an agent's log already, so that whoever goes on writing repeats none; `null` for a
 * log that has only begun. Where that cannot be told, all there is so far counts as written.
 */
export async function findResumePoint(path: string): Promise<OutputCounts | null> {
  const text = await readTail(path, TAIL_BYTES);
  if (/^[^\n]*\n$/.test(text) && BEGINNING.test(text)) return null;
  // The lines before a rotation are in the file before.
  return countOutput(text) ?? countOutput(`${await readTail(`${path}.1`, TAIL_BYTES)}${text}`) ??
    { stdout: Infinity, stderr: Infinity };
}

function countOutput(text: string): OutputCounts | null {
  const last = [...text.matchAll(PROGRESS)].at(-1);
  const counts = { stdout: Number(last?.[1] ?? 0), stderr: Number(last?.[2] ?? 0) };
  if (last === undefined && !BEGINNING.test(text)) return null;
  for (const [, stream] of text.slice(last?.index ?? 0).matchAll(OUTPUT)) {
    counts[stream === "stderr" ? "stderr" : "stdout"]++;
  }
  return counts;
}
