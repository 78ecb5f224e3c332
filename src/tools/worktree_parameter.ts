import * as z from "zod";
import type { StartRequest } from "../supervisor/start_request.ts";
import { defined } from "../task/defined.ts";

/** As codex-mcp-swarm had it, or with how it is to be made. */
export const worktreeParameter = z.union([
  z.boolean(),
  z.strictObject({
    base: z.string().optional().describe("head (default), remote, wip (with uncommitted changes), or any commit"),
    name: z.string().optional().describe("Of the branch, codex-swarm/NAME"),
    setup: z.string().optional().describe("Command run first, outside the sandbox; a person must have approved it"),
  }),
]).optional().describe("Work in a git worktree of its own, on branch codex-swarm/TASK_ID");

/** Turns it into what the supervisor understands. */
export function worktreeRequest(input: z.output<typeof worktreeParameter>): StartRequest["worktree"] {
  return typeof input === "object" ? defined({ base: input.base, name: input.name, setup: input.setup }) : input;
}
