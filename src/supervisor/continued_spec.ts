import { readThread } from "../codex/thread_file.ts";
import { defined } from "../task/defined.ts";
import type { TaskSpec } from "../task/spec.ts";

/**
 * What a task's further run is started with: its thread, and there the sandbox, the model and the working directory that
 * its first run had. Codex itself keeps none of them.
 */
export async function continuedSpec(
  spec: TaskSpec,
  { threadId, hasFirst }: { readonly threadId: string; readonly hasFirst: boolean },
): Promise<TaskSpec> {
  const facts = await readThread({ codexHome: spec.codexHome, threadId }).catch(() => null);
  const { mode, network } = spec.effectiveSandbox;
  return {
    ...spec,
    ...defined({
      // A permission profile of the user's own has no name among the modes: `-s` would take its place.
      sandbox: spec.sandbox ?? (network === null ? undefined : mode),
      model: spec.model ?? facts?.model ?? undefined,
      reasoningEffort: spec.reasoningEffort ?? facts?.effort ?? undefined,
    }),
    resumeThreadId: threadId,
    // They came with the first prompt.
    images: hasFirst ? spec.images : [],
  };
}
