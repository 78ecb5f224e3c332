/** The servers that clients can call over HTTP. */
import type { Endpoint } from "../../storage/endpoint_files.ts";
import { type Address, endpointUrl } from "../../storage/endpoint_url.ts";
import { type Client, type Connection, type Machine, shellCommand, TOKEN_VARIABLE } from "./client.ts";
import { InstallError } from "./install_error.ts";

/** What a client is to call, and what its user should know of it. */
export interface Call {
  readonly connection: Connection & { readonly kind: "http" };
  readonly notes: readonly string[];
}

export interface CallOptions {
  /** Where the user wants it; the usual one when nothing was said. */
  readonly address: Address;
  /** Those of the state directory, the newest last. */
  readonly endpoints: readonly Endpoint[];
  /** Where a server keeps its token that does not run yet; `null` when it is given one by other ways. */
  readonly tokenFile: string | null;
  readonly machine: Machine;
}

const USUAL_PORT = 7077;
const USUAL_URL = endpointUrl({ kind: "tcp", host: "127.0.0.1", port: USUAL_PORT });
const START = "codex-swarm --http";

/** Chooses the server at the address; where none was named and none runs at the usual one, the newest that can be called. */
export function chooseCall(client: Client, { address, endpoints, tokenFile, machine }: CallOptions): Call {
  if (client.reach === "stdio") {
    throw new InstallError(`${client.title} starts its servers itself and calls none over HTTP: leave --http out.`);
  }
  const asked = urlOf(address);
  const isReached = (url: string): boolean => client.reach === "http and sockets" || !url.startsWith("unix:");
  const [other] = endpoints;
  const endpoint = endpoints.findLast(({ url }) => url === asked) ??
    (asked === USUAL_URL ? endpoints.findLast(({ url }) => isReached(url)) ?? other : undefined);
  const url = endpoint?.url ?? asked;
  if (!isReached(url)) {
    const which = endpoint === undefined ? "A server there" : `The server that runs (process ${endpoint.pid})`;
    throw new InstallError(
      `${which} listens on a Unix socket, which of all clients only VS Code can call: start one with \`${START}\`, ` +
        "then run this again.",
    );
  }
  const connection = { kind: "http", url } as const;
  const running = endpoint === undefined
    ? `No server runs there yet: start it with \`${startCommand(address, machine)}\`.`
    : `The server that runs there is process ${endpoint.pid}. Start it at the same address each time.`;
  const file = endpoint === undefined ? tokenFile : endpoint.tokenFile;
  const isVariable = client.snippet(connection).includes(TOKEN_VARIABLE);
  return { connection, notes: [running, tokenNote(client, { file, isVariable, machine })] };
}

function urlOf(address: Address): string {
  // Port 0 is any free one.
  return endpointUrl(address.kind === "socket" ? address : { ...address, port: address.port || USUAL_PORT });
}

function startCommand(address: Address, machine: Machine): string {
  if (address.kind === "socket") return shellCommand(["codex-swarm", "--socket", address.path], machine);
  const { host } = new URL(urlOf(address));
  return urlOf(address) === USUAL_URL ? START : `${START} ${host}`;
}

function tokenNote(
  { title }: Client,
  { file, isVariable, machine }: {
    readonly file: string | null;
    readonly isVariable: boolean;
    readonly machine: Machine;
  },
): string {
  if (file === null) {
    const taker = isVariable ? `${title} takes it from the variable ${TOKEN_VARIABLE}. ` : "";
    return `Its token is the one that it was given when it was started. ${taker}If it has none, any word will do.`;
  }
  if (!isVariable) return `The token stands in ${file}.`;
  const command = machine.os === "windows"
    ? `$env:${TOKEN_VARIABLE} = Get-Content '${file.replaceAll("'", "''")}'`
    : `export ${TOKEN_VARIABLE}="$(${shellCommand(["cat", file], machine)})"`;
  return `The token stands in ${file}. ${title} takes it from the variable ${TOKEN_VARIABLE}, with which it must be ` +
    `started:\n  ${command}`;
}
