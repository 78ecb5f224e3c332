/** `deno task demo [--codex [PATH]] [--seconds N]`: shows a newcomer what codex-swarm does. Needs Node and git only. */
import { homedir } from "node:os";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { DEMO_AGENTS } from "./agents.ts";
import { runDemo } from "./run_demo.ts";
import type { Screen } from "./screen.ts";

const USAGE = `Usage: deno task demo [--codex [PATH]] [--seconds N]
  --codex [PATH]  Use the real Codex, found as the server finds it or at PATH
  --seconds N     How long a scripted agent works; default 4
`;

const screen: Screen = {
  isTerminal: Deno.stdout.isTerminal(),
  // Some terminals know no width.
  width: Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : 0,
  write: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)),
};

async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  const { signal } = interrupted;
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => interrupted.abort());
  const [flag, value, ...rest] = args;
  if (flag === "--codex" && rest.length === 0) {
    const env = Deno.env.toObject();
    const home = env["CODEX_HOME"] || join(homedir(), ".codex");
    return await runDemo({ codex: { path: value ?? "codex", home }, pause: null, env, screen, signal });
  }
  const seconds = flag === "--seconds" ? Number(value) : 4;
  if ((flag !== undefined && flag !== "--seconds") || !(seconds >= 0) || rest.length > 0) {
    screen.write(USAGE);
    return 2;
  }
  const pauses = (DEMO_AGENTS[0]?.script.length ?? 2) - 1;
  await using codex = await installFakeCodex();
  return await runDemo({ codex, pause: `fake:silent(${seconds / pauses})`, screen, signal });
}

Deno.exit(await main(Deno.args));
