/** Puts the server into a client's configuration, or takes it out. */
import type { Client } from "../cli/install/client.ts";
import { chooseClient, type Config } from "../config.ts";
import { listEndpoints } from "../storage/endpoint_files.ts";
import { endpointToken } from "./endpoint_token.ts";
import { revokeNet } from "./permissions.ts";
import type { Program } from "./program.ts";
import { endpointsDirectory } from "./state_places.ts";
import { writeText } from "./write_text.ts";

/** Runs `install` or `uninstall`; gives the exit code. Throws a ConfigError for a client that is none. */
export async function changeClient(config: Config, program: Program): Promise<number> {
  await revokeNet();
  const { clientNames, runInstall, runUninstall } = await import("../cli/install/mod.ts");
  const client: Client = chooseClient(config.client, { command: config.command, known: clientNames });
  const options = {
    client,
    isPrint: config.isPrint,
    machine: { ...config, cwd: callerDirectory(config, program), os: Deno.build.os, isDirectory },
    write: (text: string) => writeText(Deno.stdout, text),
    writeError: (text: string) => writeText(Deno.stderr, text),
  };
  if (config.command === "uninstall") return await runUninstall(options);
  return await runInstall({
    ...options,
    address: config.http?.address ?? null,
    endpoints: config.http === null ? [] : await listEndpoints(endpointsDirectory(config)),
    token: endpointToken(config.http?.token ?? { kind: "none" }),
    program: {
      isStandalone: Deno.build.standalone,
      execPath: Deno.execPath(),
      script: program.script,
      startTask: program.startTask,
      searchPath: config.env["PATH"] ?? "",
    },
  });
}

/** `deno task` works in the sources' directory, whatever directory it was called in. */
function callerDirectory({ cwd, env }: Config, { directory }: Program): string {
  return cwd === directory ? env["INIT_CWD"] || cwd : cwd;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
