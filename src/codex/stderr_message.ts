/** Finds the reason in what Codex wrote to stderr, for runs that never wrote an event. */

/** Characters of a reason. */
const MAX_MESSAGE_LENGTH = 1_000;

const ANSI = new RegExp(String.raw`${"\u001b"}\[[0-9;?]*[ -/]*[@-~]`, "g");
/** `2026-11-20T06:37:15.667458Z ERROR codex_api::…`: tracing, on healthy runs too. */
const TRACING = /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+(ERROR|WARN|INFO|DEBUG|TRACE)\s/;
const PROMPT_NOTICE = /^Reading (prompt|additional input) from stdin\.*$/;
const NOISE = /^(WARNING: |warning: |Usage: |\s+codex |For more information, try )/;
const REASON = /^(Error|error)\b/;
const PANIC = /^thread '.*' .*panicked at /;
const BACKTRACE = /^(Stack backtrace:|stack backtrace:|note: run with `RUST_BACKTRACE)/;

/** Tells whether a line is the one with which Codex begins every run that reads its prompt from stdin. */
export function isPromptNotice(line: string): boolean {
  return PROMPT_NOTICE.test(line);
}

/** Returns what Codex wrote to stderr without its colours and that line. */
export function readableStderr(text: string): string {
  return text.replaceAll(ANSI, "").split(/\r?\n/).filter((line) => !isPromptNotice(line)).join("\n");
}

/** Returns the last `Error: …` of Codex's stderr with the lines that belong to it, else its last plain lines; `""` when it says nothing. */
export function stderrMessage(tail: string): string {
  const lines = plainLines(tail);
  const panic = lines.findLastIndex((line) => PANIC.test(line));
  const reason = lines.findLastIndex((line) => REASON.test(line));
  const start = panic >= 0 ? panic : reason >= 0 ? reason : Math.max(0, lines.length - 3);
  const message = lines.slice(start, start + 5).join("\n").replace(/^Error: /, "").trim();
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;
}

function plainLines(tail: string): readonly string[] {
  const lines: string[] = [];
  let isInBacktrace = false;
  for (const raw of readableStderr(tail).split("\n")) {
    const line = raw.trimEnd();
    if (BACKTRACE.test(line)) isInBacktrace = true;
    else if (isInBacktrace && /^\s+(\d+:|at )/.test(line)) continue;
    else if (line.trim() === "") isInBacktrace = false;
    else if (!TRACING.test(line) && !NOISE.test(line)) lines.push(line);
  }
  return lines;
}
