/** A home and a project of their own, in which clients are installed into. */
import { dirname, join } from "node:path";
import manifest from "../../deno.json" with { type: "json" };
import type { Machine } from "../../src/cli/install/client.ts";
import { clientNames } from "../../src/cli/install/clients.ts";
import { type InstallOptions, runInstall } from "../../src/cli/install/install.ts";
import type { Endpoint } from "../../src/storage/endpoint_files.ts";
import type { Address } from "../../src/storage/endpoint_url.ts";
import { runUninstall } from "../../src/cli/install/uninstall.ts";
import { tempDirectory } from "./temp_directory.ts";

export interface Told {
  readonly exitCode: number;
  /** With the path of the yard left out. */
  readonly output: string;
  readonly error: string;
}

export interface ClientYard extends AsyncDisposable {
  readonly path: string;
  readonly machine: Machine;
  /** The client's file, which need not be there. */
  file(client: string): string;
  /** Puts text or bytes into the client's file. */
  write(client: string, content: string | Uint8Array): Promise<string>;
  install(client: string, options?: Partial<InstallOptions>): Promise<Told>;
  uninstall(client: string, options?: { readonly isPrint?: boolean }): Promise<Told>;
}

/** The program as it is when it was compiled. */
export const COMPILED = {
  isStandalone: true,
  execPath: "/opt/swarm/codex-swarm",
  script: undefined,
  startTask: manifest.tasks.start,
  searchPath: "",
};
/** The same that is started by Deno. */
export const FROM_SOURCE = { ...COMPILED, isStandalone: false, execPath: "/opt/deno", script: "/src/main.ts" };
/** Where servers listen unless told otherwise. */
export const USUAL: Address = { kind: "tcp", host: "127.0.0.1", port: 7_077 };
export const RUNNING: Endpoint = {
  url: "http://127.0.0.1:7077/mcp",
  pid: 42,
  token: { kind: "file", path: "/state/token" },
};

/** Makes a yard that is removed when its scope ends. */
export async function clientYard(): Promise<ClientYard> {
  const temp = await tempDirectory();
  const home = join(temp.path, "home");
  const cwd = join(temp.path, "project");
  await Deno.mkdir(home);
  await Deno.mkdir(cwd);
  const machine: Machine = {
    os: "linux",
    env: {},
    home,
    cwd,
    codexHome: join(home, ".codex"),
    isDirectory: () => false,
  };
  const find = (name: string): NonNullable<ReturnType<typeof clientNames.get>> => {
    const client = clientNames.get(name);
    if (client === undefined) throw new Error(`no client ${name}`);
    return client;
  };
  const file = (client: string): string => find(client).files(machine)[0] ?? "";
  const listen = async (
    run: (out: { write: (text: string) => void; writeError: (text: string) => void }) => Promise<number>,
  ): Promise<Told> => {
    let [output, error] = ["", ""];
    const exitCode = await run({ write: (text) => output += text, writeError: (text) => error += text });
    return { exitCode, output: output.replaceAll(temp.path, ""), error: error.replaceAll(temp.path, "") };
  };
  return {
    path: temp.path,
    machine,
    file,
    async write(client, content): Promise<string> {
      const path = file(client);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      return path;
    },
    install: (client, options = {}) =>
      listen((out) =>
        runInstall({
          client: find(client),
          isPrint: false,
          address: null,
          endpoints: [],
          token: { kind: "file", path: "/state/token" },
          program: COMPILED,
          machine,
          ...out,
          ...options,
        })
      ),
    uninstall: (client, { isPrint = false } = {}) =>
      listen((out) => runUninstall({ client: find(client), isPrint, machine, ...out })),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

export async function readText(path: string): Promise<string> {
  // Deno.readTextFile drops a byte order mark.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await Deno.readFile(path));
}
