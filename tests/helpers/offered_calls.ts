/** A call of a tool. */
export interface OfferedCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** The calls that an answer's words offer, such as `codex_merge(task_id="x", update_checkout=true)`. */
export function offeredCalls(words: string): OfferedCall[] {
  return [...words.matchAll(/\b(codex_\w+)\(((?:[^"()]|"(?:[^"\\]|\\.)*")*)\)/g)].map(([, tool = "", list = ""]) => ({
    tool,
    args: Object.fromEntries(
      [...list.matchAll(/(\w+)=((?:[^",[]|"(?:[^"\\]|\\.)*"|\[[^\]]*\])+)/g)].map(([, name, value = ""]) => [
        name,
        JSON.parse(value),
      ]),
    ),
  }));
}
