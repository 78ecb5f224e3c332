/** Puts the agent of random histories on disk. */
import { join } from "node:path";
import { writeExecutable } from "../helpers/executable.ts";
import { AgentLedger } from "./agent_ledger.ts";
import type { Ending } from "./steps.ts";

const HERE = import.meta.dirname ?? "";

export interface ModelCodex {
  /** The executable. */
  readonly path: string;
  /** A `CODEX_HOME` that has a login and has been used. */
  readonly home: string;
  readonly ledger: AgentLedger;
  /** What the agents write and read; see `agent.sh`. */
  readonly model: string;
  /** Lets the agent end that was given this key; it may still be to come. */
  release(key: string, ending: Ending): Promise<void>;
}

/** Installs it below `directory`, which must be there. */
export async function installModelCodex(directory: string): Promise<ModelCodex> {
  const model = join(directory, "model");
  const home = join(directory, "codex_home");
  // The thread of every agent begins with this day, and there its record is looked for.
  const now = new Date();
  const day = now.getTime().toString(16).padStart(12, "0");
  const sessions = join(home, "sessions", ...now.toISOString().slice(0, 10).split("-"));
  for (const name of ["go", "hold", "threads"]) await Deno.mkdir(join(model, name), { recursive: true });
  await Deno.mkdir(sessions, { recursive: true });
  await Deno.writeTextFile(join(home, "auth.json"), '{"auth_mode":"apikey","OPENAI_API_KEY":"fake"}\n');
  const ledger = join(model, "ledger");
  await Deno.writeTextFile(ledger, "");
  const variables = {
    MODEL: model,
    MODEL_DAY: `${day.slice(0, 8)}-${day.slice(8)}`,
    MODEL_SESSIONS: sessions,
    MODEL_HELP: join(HERE, "..", "fixtures", "fake_codex", "help"),
  };
  const settings = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`).join("");
  const path = join(directory, "codex");
  writeExecutable(path, `#!/bin/sh\n${settings}${await Deno.readTextFile(join(HERE, "agent.sh"))}`);
  return {
    path,
    home,
    model,
    ledger: new AgentLedger(ledger),
    async release(key, { code, turn }): Promise<void> {
      const go = join(model, "go", key);
      await Deno.writeTextFile(`${go}.new`, `${code} ${turn}\n`);
      await Deno.rename(`${go}.new`, go);
      // Whoever is not there yet finds the file.
      await poke(join(model, "hold", key));
    },
  };
}

/** Opened for both directions, a pipe keeps nobody waiting. */
async function poke(pipe: string): Promise<void> {
  try {
    using file = await Deno.open(pipe, { read: true, write: true });
    await file.write(new TextEncoder().encode("go\n"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
