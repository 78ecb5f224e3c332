import type { FakeCodex } from "../helpers/fake_codex.ts";

/** Starts the agent that servers run as a child of this process, with nobody between: the floor of whatever they do. */
export function startDirectly(codex: FakeCodex, prompt: string): Deno.ChildProcess {
  return new Deno.Command(codex.path, {
    args: ["exec", "--json", prompt],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}
