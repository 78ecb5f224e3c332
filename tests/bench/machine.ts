import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { reasonOf } from "./answers.ts";
import type { Bench, Contestant } from "./contestants.ts";
import { Yard } from "./yard.ts";

/** On what, of what and under what load the figures were measured. */
export async function machineFacts(bench: Bench): Promise<Record<string, string>> {
  const facts: Record<string, string> = {
    machine: `${cpus().length} × ${
      cpus()[0]?.model ?? "unknown"
    }, ${Deno.build.os} ${Deno.osRelease()}, ${memoryText()}`,
    load: Deno.loadavg().map((load) => load.toFixed(2)).join(" "),
    versions: `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    // Its first start also fills Deno's caches.
    ours: `${await nameOf(bench.ours)}${await commitText()}`,
  };
  for (const peer of bench.peers) facts[peer.name] = `${await nameOf(peer)}: ${peer.command.at(-1)}`;
  return facts;
}

function memoryText(): string {
  return `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`;
}

async function nameOf(contestant: Contestant): Promise<string> {
  try {
    await using yard = await Yard.prepare(contestant);
    return (await yard.start()).name;
  } catch (error) {
    return `does not start, ${reasonOf(error)}`;
  }
}

/** None outside a clone. */
async function commitText(): Promise<string> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--dirty"],
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? `, commit ${new TextDecoder().decode(stdout).trim()}` : "";
  } catch {
    return "";
  }
}
