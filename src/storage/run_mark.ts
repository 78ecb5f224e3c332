/** Tells the runs of one task apart in the files that all of them append to. */

/** Begins the line before the messages of a further run. */
const MESSAGES_MARK = "codex-swarm: run ";

/** Marks that what follows in both files was written by a further run. */
export async function markRun(
  run: number,
  files: { readonly events: string; readonly messages: string },
): Promise<void> {
  // The run before may have died in the middle of a line.
  await append(files.events, `\n${JSON.stringify({ type: "codex_swarm.run", run })}\n`);
  await append(files.messages, `\n${MESSAGES_MARK}${run}\n`);
}

/** The part of messages that the last run wrote. */
export function lastRunOf(messages: string): string {
  const lines = messages.split("\n");
  return lines.slice(lines.findLastIndex((line) => line.startsWith(MESSAGES_MARK)) + 1).join("\n");
}

async function append(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { append: true, mode: 0o600 });
}
