/** The servers that clients can call over HTTP. */
import type { Endpoint, EndpointToken } from "../../storage/endpoint_files.ts";
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
  /** What a server asks for that does not run yet. */
  readonly token: EndpointToken;
  readonly machine: Machine;
}

const USUAL_PORT = 7077;
const USUAL_URL = endpointUrl({ kind: "tcp", host: "127.0.0.1", port: USUAL_PORT });
const START = "codex-swarm --http";

/** Chooses the server at the address; where none was named and none runs at the usual one, the newest that can be called. */
export function chooseCall(client: Client, { address, endpoints, token: planned, machine }: CallOptions): Call {
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
  const token = endpoint?.token ?? planned;
  const connection = { kind: "http", url, hasToken: token.kind !== "none" } as const;
  const running = endpoint === undefined
    ? `No server runs there yet: start it with \`${startCommand(address, { token, machine })}\`.`
    : `The server that runs there is process ${endpoint.pid}. Start it at the same address each time.`;
  const isVariable = client.snippet(connection).includes(TOKEN_VARIABLE);
  return { connection, notes: [running, tokenNote(client, { token, isVariable, machine })] };
}

function urlOf(address: Address): string {
  // Port 0 is any free one.
  return endpointUrl(address.kind === "socket" ? address : { ...address, port: address.port || USUAL_PORT });
}

function startCommand(
  address: Address,
  { token, machine }: { readonly token: EndpointToken; readonly machine: Machine },
): string {
  const open = token.kind === "none" ? " --no-token" : "";
  if (address.kind === "socket") return `${shellCommand(["codex-swarm", "--socket", address.path], machine)}${open}`;
  const { host } = new URL(urlOf(address));
  return `${urlOf(address) === USUAL_URL ? START : `${START} ${host}`}${open}`;
}

function tokenNote(
  { title }: Client,
  { token, isVariable, machine }: {
    readonly token: EndpointToken;
    readonly isVariable: boolean;
    readonly machine: Machine;
  },
): string {
  if (token.kind === "none") return "It asks for no token: every program on this machine can call it.";
  if (token.kind === "given") {
    const taker = isVariable ? ` ${title} takes it from the variable ${TOKEN_VARIABLE}.` : "";
    return `Its token is the one that it is given when it is started.${taker}`;
  }
  const { path: file } = token;
  if (!isVariable) return `The token stands in ${file}.`;
  const command = machine.os === "windows"
    ? `$env:${TOKEN_VARIABLE} = Get-Content '${file.replaceAll("'", "''")}'`
    : `export ${TOKEN_VARIABLE}="$(${shellCommand(["cat", file], machine)})"`;
  return `The token stands in ${file}. ${title} takes it from the variable ${TOKEN_VARIABLE}, with which it must be ` +
    `started:\n  ${command}`;
}
