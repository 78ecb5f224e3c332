/** `codex-swarm install CLIENT`: puts the server into a client's file, or shows what to put there. */
import type { Endpoint, EndpointToken } from "../../storage/endpoint_files.ts";
import type { Address } from "../../storage/endpoint_url.ts";
import { type Client, type Connection, type Machine, SERVER_NAME } from "./client.ts";
import { byteOrderMark, nameOf, readConfigFile, replaceConfigFile } from "./config_file.ts";
import { chooseCall } from "./endpoint.ts";
import { InstallError } from "./install_error.ts";
import { addedArguments, ownCommand, type OwnProgram } from "./own_program.ts";

export interface InstallOptions {
  readonly client: Client;
  /** Only show what would be written. */
  readonly isPrint: boolean;
  /** Where the client is to call a server, instead of starting one of its own; `null`: it starts one. */
  readonly address: Address | null;
  /** The servers of the state directory that listen, the newest last. */
  readonly endpoints: readonly Endpoint[];
  /** What a server asks for that does not run yet. */
  readonly token: EndpointToken;
  readonly program: OwnProgram;
  readonly machine: Machine;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Returns the exit code: 1 when the client's file could not be changed, or the client cannot do what was asked. */
export async function runInstall(options: InstallOptions): Promise<number> {
  const { client, address, machine, write, writeError } = options;
  try {
    const call = address === null
      ? { connection: await ownCommand(options.program), notes: [] }
      : chooseCall(client, { ...options, address });
    const notes = [...call.notes, ...client.notes(call.connection, machine), ...cacheNote(call.connection)];
    const [file = ""] = client.files(machine);
    const done = client.format === undefined || options.isPrint
      ? `Add this to ${file}, beside what is there:\n\n${client.snippet(call.connection)}`
      : await install(file, call.connection, { client, format: client.format });
    write([done, ...notes].join("\n\n") + "\n");
    return 0;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    writeError(`codex-swarm: ${error.message}\n`);
    return 1;
  }
}

/** Returns what was done. */
async function install(
  path: string,
  connection: Connection,
  { client, format }: { readonly client: Client; readonly format: NonNullable<Client["format"]> },
): Promise<string> {
  try {
    const file = await readConfigFile(path);
    const entry = format.read(file.text);
    const kept = connection.kind === "stdio" ? addedArguments(entry?.["command"], entry?.["args"]) : [];
    const wanted = connection.kind === "stdio" ? { ...connection, args: [...connection.args, ...kept] } : connection;
    const text = format.add(file.text, wanted);
    if (file.bytes !== null && text === file.text) return `${SERVER_NAME} stands in ${path} already: nothing to do.`;
    const backup = await replaceConfigFile(file, byteOrderMark(file.bytes) + text, { isPrivate: client.isPrivate });
    return [
      entry === undefined
        ? `Added ${SERVER_NAME} to ${nameOf(path, file)}.`
        : `Changed ${SERVER_NAME} in ${nameOf(path, file)}.`,
      ...(kept.length === 0 ? [] : [`Kept the arguments that somebody has added: ${kept.join(" ")}`]),
      ...(backup === null ? [] : [`What it held before is kept in ${backup}.`]),
    ].join("\n");
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    throw new InstallError(
      `Cannot change ${path}: ${error.message}. Nothing was written. To do it by hand, add:\n\n${
        client.snippet(connection)
      }`,
      { cause: error },
    );
  }
}

function cacheNote(connection: Connection): string[] {
  if (connection.kind !== "stdio" || !/[\\/]_npx[\\/]/.test(connection.command)) return [];
  return ["The Deno that runs this lies in the cache of npx: once that was cleared, run this again."];
}
