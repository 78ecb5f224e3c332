/** What an agent answered, in the words and within the bounds of codex-as-mcp. */
import { eventLines } from "../codex/event_lines.ts";
import { parseEvent } from "../codex/parse_events.ts";
import { isPromptNotice } from "../codex/stderr_message.ts";
import { readTail } from "../storage/tailed_file.ts";
import { characters, MAX_OUTPUT } from "../supervisor/agent_log_end.ts";
import { cutEnd, jsonLength } from "./bounded_text.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** How much is shown of an answer, from all that codex-as-mcp showed down to what fits into any answer. */
const SHOWN = [MAX_OUTPUT, 2_000, 1_000, 400, 100, 0];
const RECENT_LINES = 20;
const MAX_LINE = 300;
/** How much of the ends of the files is looked through for the last lines. */
const TAIL_BYTES = 256 * 1024;

/** The result of an agent that completed: its answer, where its log is, and a warning if there is no answer. */
export async function agentOutput(view: ViewedTask, maxLength: number): Promise<string> {
  const { answer, task: { spec: { agentLog } } } = view;
  const end = agentLog === undefined ? "" : `\nLog file: ${agentLog}`;
  const isEmpty = answer === null || answer.trim() === "";
  const recent = isEmpty ? (await recentOutput(view, RECENT_LINES)).join("\n") : "";
  for (const shown of SHOWN) {
    const text = isEmpty ? emptyText(recent, shown) : answerText(answer, shown);
    if (jsonLength(text + end) <= maxLength) return text + end;
  }
  return isEmpty ? emptyText("", 0) : answerText(answer, 0);
}

function answerText(answer: string, shown: number): string {
  const total = characters(answer);
  if (total <= shown) return answer;
  const note = `[Output truncated: ${total} chars total, showing first ${shown}. See full output in log file]`;
  return `${firstCharacters(answer, shown)}\n\n${note}`;
}

function emptyText(recent: string, shown: number): string {
  const text = firstCharacters(recent, shown);
  return text === ""
    ? "Warning: Codex agent completed but produced no output."
    : `Warning: Codex agent completed but output file was empty.\nRecent output:\n${text}`;
}

function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  return Array.from(text.slice(0, 2 * count)).slice(0, count).join("");
}

/** The last lines of what Codex wrote: what it reported, then what stands on its stderr. */
export async function recentOutput({ directory }: ViewedTask, maxLines: number): Promise<string[]> {
  const [events, errors] = await Promise.all([
    lastLines(directory.eventsFile),
    lastLines(directory.stderrFile),
  ]);
  const stdout = events.flatMap((line) => eventLines(parseEvent(line))).map(({ text }) => `stdout: ${text}`);
  const stderr = errors.filter((line) => !isPromptNotice(line)).map((line) => `stderr: ${line}`);
  return [...stdout, ...stderr].slice(-maxLines).map((line) => cutEnd(line, MAX_LINE));
}

async function lastLines(path: string): Promise<string[]> {
  try {
    const text = await readTail(path, TAIL_BYTES);
    const lines = text.split("\n");
    // The first one is not whole where the file is longer.
    return (text.length < TAIL_BYTES ? lines : lines.slice(1)).filter((line) => line.trim() !== "");
  } catch {
    return [];
  }
}
