import type { HandleCall } from "../storage/handle_files.ts";
import { TaskError } from "../task/errors.ts";
import type { Stages, Tool } from "../tools/tool.ts";

/** A tool whose calls can be answered with a handle. */
export type StagedTool = Tool & { readonly stages: Stages };

/** The tool that a kept call is one of. Throws `not_available`: another version may have answered the call. */
export function stagedToolOf({ tool: name }: HandleCall, tools: readonly Tool[]): StagedTool {
  const tool = tools.find((tool) => tool.name === name);
  if (tool?.stages === undefined) {
    const message = `Cannot go on with a call of ${name}: this codex-swarm has no such tool. Ask one of the version ` +
      "that answered the call.";
    throw new TaskError("not_available", message);
  }
  return { ...tool, stages: tool.stages };
}
