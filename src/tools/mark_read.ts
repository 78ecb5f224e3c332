import type { ToolCall, ToolServices } from "./tool.ts";

/** Notes that the client is given the results of tasks with the call's answer. */
export async function markRead(
  ids: readonly string[],
  { handle }: Pick<ToolCall, "handle">,
  { supervisor }: ToolServices,
): Promise<void> {
  if (handle === null) await Promise.all(ids.map((id) => supervisor.markRead(id)));
  else handle.tell(ids);
}
