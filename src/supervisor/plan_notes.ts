import type { CodexProbe } from "../codex/probe.ts";
import type { EffectiveSandbox, ServerSettings } from "../task/spec.ts";
import type { StartRequest } from "./start_request.ts";

/** Efforts that some model knows; any other string is passed on all the same. */
const KNOWN_EFFORTS = new Set(["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]);

/** What the caller should know about how the call was understood. */
export function planNotes(
  request: StartRequest,
  { probe, sandbox, approval: configured, server }: {
    readonly probe: CodexProbe;
    readonly sandbox: EffectiveSandbox;
    readonly approval: string | null;
    readonly server: ServerSettings;
  },
): string[] {
  const notes: string[] = [];
  if (server.ephemeral) {
    const what = request.threadId === undefined ? "This thread cannot be continued" : "Codex may not record this turn";
    notes.push(`${what}: the server was started with --ephemeral.`);
  }
  const approval = request.approvalPolicy ?? configured;
  if (approval !== null && approval !== undefined && approval !== "never") {
    notes.push(`approval-policy "${approval}" has no effect: codex exec ${probe.version} always runs with "never".`);
  }
  if (request.reasoningEffort !== undefined && !KNOWN_EFFORTS.has(request.reasoningEffort)) {
    notes.push(
      `reasoning-effort "${request.reasoningEffort}" is passed on, but no model is known to have it; known are ` +
        `${[...KNOWN_EFFORTS].join(", ")}.`,
    );
  }
  if (sandbox.mode === "read-only") {
    notes.push('The agent cannot edit files: pass sandbox="workspace-write" to allow it.');
  }
  if (sandbox.source === "limit") notes.push(`The sandbox was lowered to ${sandbox.mode} by --max-sandbox.`);
  if (sandbox.mode === "read-only" && request.network === true) {
    notes.push('network has no effect in a read-only sandbox: pass sandbox="workspace-write" too.');
  }
  if (server.withheldEnv.length > 0) {
    notes.push(`Withheld from the agent's commands: ${server.withheldEnv.join(", ")}. Pass one on with env.`);
  }
  return notes;
}
