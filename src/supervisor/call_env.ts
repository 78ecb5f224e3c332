/** The variables that a call gives its agent. */
import { isAbsolute, join } from "node:path";
import { digest } from "../storage/digest.ts";
import { existingDirectory } from "../storage/paths.ts";
import { TaskError } from "../task/errors.ts";
import type { StartRequest } from "./start_request.ts";

/** Other names are no use to the shell that runs an agent's commands; bash takes whole functions from some of them. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Throws `invalid_argument` for a name or a value that no process could be given as it is. */
export function checkEnv(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (!NAME.test(name)) {
      throw new TaskError(
        "invalid_argument",
        `Cannot pass env ${JSON.stringify(name)}: a name is made of letters, digits and "_" and begins with no digit.`,
      );
    }
    if (value.includes("\0")) {
      throw new TaskError("invalid_argument", `Cannot pass env.${name}: its value holds a NUL character. Remove it.`);
    }
  }
}

/** The CODEX_HOME of a run: the call's own before the server's. Throws when Codex could not use it. */
export async function callCodexHome(
  env: Readonly<Record<string, string>>,
  server: { readonly codexHome: string; readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  const { CODEX_HOME: codexHome, HOME: home } = env;
  if (codexHome !== undefined) {
    if (isAbsolute(codexHome)) return (await existingDirectory(codexHome, "env.CODEX_HOME")).path;
    throw new TaskError("invalid_argument", `Cannot use env.CODEX_HOME "${codexHome}": it is no absolute path.`);
  }
  // Codex looks there when nobody names a CODEX_HOME; on Windows it asks the system instead.
  const isInHome = !server.env["CODEX_HOME"] && Deno.build.os !== "windows";
  return isInHome && home !== undefined && isAbsolute(home) ? join(home, ".codex") : server.codexHome;
}

/**
 * What stands for the account of a run: its usage limits hold for all runs with the same. A digest, since the key among
 * what it is made of is a secret.
 */
export async function accountOf(
  { config, profile }: Pick<StartRequest, "config" | "profile">,
  { codexHome, env }: { readonly codexHome: string; readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  const parts = [codexHome, env["CODEX_API_KEY"] ?? "", config?.["model_provider"] ?? "", profile ?? ""];
  return (await digest(JSON.stringify(parts))).slice(0, 16);
}
