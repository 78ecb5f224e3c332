/** What the supervisor commits in an agent's name is told in the agent's own words. */

/** Git's own custom for the first line. */
const MAX_SUBJECT = 72;

/** The message of a turn's commit: a subject, and trailers that lead back to the task. */
export function turnMessage(
  { taskId, threadId, label, prompt, lastMessage }: {
    readonly taskId: string;
    readonly threadId: string | null;
    readonly label: string | undefined;
    readonly prompt: string;
    readonly lastMessage: string | null;
  },
): string {
  const subject = [lastMessage, label, prompt].map((text) => subjectOf(text ?? "")).find((line) => line !== "");
  const trailers = [`Codex-Task: ${taskId}`, ...(threadId === null ? [] : [`Codex-Thread: ${threadId}`])];
  return `${subject ?? `Codex task ${taskId}`}\n\n${trailers.join("\n")}\n`;
}

/** The first line with words in it, without Markdown around them. */
function subjectOf(text: string): string {
  for (const line of text.split("\n")) {
    const plain = line.replace(/^[\s#>*+`~-]+|^\s*\d+[.)]\s+/g, "").replaceAll(/[*`]|\p{Cc}/gu, "").trim();
    if (/[\p{L}\p{N}]/u.test(plain)) return cut(plain);
  }
  return "";
}

function cut(line: string): string {
  if (line.length <= MAX_SUBJECT) return line;
  const end = line.lastIndexOf(" ", MAX_SUBJECT - 1);
  return `${line.slice(0, end > MAX_SUBJECT / 2 ? end : MAX_SUBJECT - 1).trimEnd()}…`;
}
