/** The servers that clients can call over HTTP. */
import { type Client, type Connection, type Machine, shellCommand, TOKEN_VARIABLE } from "./client.ts";
import { InstallError } from "./install_error.ts";

/** A server that listens. */
export interface Endpoint {
  /** `http://…/mcp`, or `unix:///…#/mcp` for a socket. */
  readonly url: string;
  readonly pid: number;
  /** `null` when it has no token, or one that it was given by other ways. */
  readonly tokenFile: string | null;
}

/** What a client is to call, and what its user should know of it. */
export interface Call {
  readonly connection: Connection & { readonly kind: "http" };
  readonly notes: readonly string[];
}

export interface CallOptions {
  /** Those of the state directory, the newest last. */
  readonly endpoints: readonly Endpoint[];
  /** Where a server keeps its token unless told otherwise. */
  readonly tokenFile: string;
  readonly machine: Machine;
}

const DEFAULT_URL = "http://127.0.0.1:7077/mcp";
const START = "codex-swarm --http";

/** Chooses the newest server that the client can call, or the usual address where none runs. */
export function chooseCall(client: Client, { endpoints, tokenFile, machine }: CallOptions): Call {
  if (client.reach === "stdio") {
    throw new InstallError(`${client.title} starts its servers itself and calls none over HTTP: leave --http out.`);
  }
  const isReached = ({ url }: Endpoint): boolean => client.reach === "http and sockets" || !url.startsWith("unix:");
  const endpoint = endpoints.findLast(isReached);
  const [other] = endpoints;
  if (endpoint === undefined && other !== undefined) {
    throw new InstallError(
      `The server that runs (process ${other.pid}) listens on a Unix socket, which of all clients only VS Code can ` +
        `call: start one with \`${START}\`, then run this again.`,
    );
  }
  const connection = { kind: "http", url: endpoint?.url ?? DEFAULT_URL } as const;
  const running = endpoint === undefined
    ? `No server runs yet: start it with \`${START}\`.`
    : `The server that runs there is process ${endpoint.pid}. Start it at the same address each time.`;
  const file = endpoint === undefined ? tokenFile : endpoint.tokenFile;
  const isVariable = client.snippet(connection).includes(TOKEN_VARIABLE);
  return { connection, notes: [running, tokenNote(client, { file, isVariable, machine })] };
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
