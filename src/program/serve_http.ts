import { type Config, type HttpSettings, isToken } from "../config.ts";
import type { Log } from "../log.ts";
import type { MakeServer } from "../server/create_server.ts";
import type { ResourceUpdates } from "../server/resource_updates.ts";
import { noteEndpoint } from "../storage/endpoint_files.ts";
import { readTokenFile } from "../storage/token_file.ts";
import type { Connection } from "./connection.ts";
import { endpointToken } from "./endpoint_token.ts";
import { revokeNet } from "./permissions.ts";
import { endpointsDirectory } from "./state_places.ts";
import { writeText } from "./write_text.ts";

/** Listens over HTTP; says on stderr where, and where the token stands. */
export async function serveHttp(
  config: Config,
  { address, token, allowedHosts, allowedOrigins }: HttpSettings,
  { makeServer, health, updates, log }: {
    readonly makeServer: MakeServer;
    readonly health: () => Readonly<Record<string, unknown>>;
    readonly updates: ResourceUpdates;
    readonly log: Log;
  },
): Promise<Connection> {
  const { startHttp } = await import("../server/http/start_http.ts");
  const say = (text: string): void => writeText(Deno.stderr, `codex-swarm: ${text}\n`);
  const read = token.kind === "file" ? await readTokenFile(token.path, { isMade: token.isOwn, isToken }) : null;
  const http = await startHttp({
    address,
    gate: {
      allowedHosts: address.kind === "socket" ? null : new Set(allowedHosts),
      allowedOrigins: new Set(allowedOrigins),
      token: read?.token ?? (token.kind === "given" ? token.token : null),
    },
    makeServer,
    health,
    updates,
    log,
  });
  await revokeNet();
  const tokenFile = token.kind === "file" ? token.path : null;
  const note = await noteEndpoint(endpointsDirectory(config), {
    url: http.url,
    pid: Deno.pid,
    token: endpointToken(token),
  })
    .catch((error) => log.warning("others cannot be told where this server listens", { error }));
  say(`serving MCP at ${http.url}`);
  if (read?.isNew === true) say(`made a token, which clients must send: ${read.token}`);
  if (tokenFile !== null) say(`clients must send the token in ${tokenFile}, as Authorization: Bearer TOKEN`);
  if (read?.isOpen === true) say(`others on this machine can read or change ${tokenFile}: chmod 600 it`);
  if (token.kind === "none") say("no token is asked for: every program on this machine can start agents");
  return {
    left: new Promise(() => undefined),
    stop: () => http.stop(),
    async close(): Promise<void> {
      note?.[Symbol.dispose]();
      await http.close();
    },
  };
}
