/** A visitor in the process of a server, who tries every way out of it: `tests/fixtures/try_to_reach_out.ts`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAIN } from "./server_process.ts";
import { tempDirectory } from "./temp_directory.ts";
import { waitFor } from "./wait_for.ts";

export const VISITOR = fileURLToPath(new URL("../fixtures/try_to_reach_out.ts", import.meta.url));
const LOCK = fileURLToPath(new URL("../../deno.lock", import.meta.url));
const HAS_UNIX_SOCKETS = Deno.build.os !== "windows";
/** Every way out that the visitor knows. */
export const WAYS = [
  ...["fetch", "connect", "listen", "node", "datagram", "node_datagram"],
  ...(HAS_UNIX_SOCKETS ? ["unix", "node_unix"] : []),
  ...["websocket", "import", "request", "dlopen"],
];
/** Deno's flags for a visitor by whom the program is to be preceded. */
export const WITH_VISITOR = ["--unstable-net", "--preload", VISITOR] as const;

export type Command = readonly [string, ...string[]];

/** How a server is to be started so that the visitor is in it. */
export interface Visit extends AsyncDisposable {
  readonly command: Command;
  readonly env: Readonly<Record<string, string>>;
  /** Tries all ways out from inside the running server. */
  tryAll(): Promise<Record<string, string>>;
  /** How many requests have come to whom the visitor would reach. */
  arrived(): number;
  /** Forgets what was tried, for another server. */
  comeAgain(): Promise<void>;
}

/** Prepares a visit; `command` gives the server with the visitor in it, and may put what it needs into a directory. */
export async function prepareVisit(command: (directory: string) => Promise<Command>): Promise<Visit> {
  const stack = new AsyncDisposableStack();
  const temp = stack.use(await tempDirectory());
  let arrived = 0;
  const answer = (request: Request): Response => {
    arrived++;
    return request.url.endsWith(".js")
      ? new Response("export {};", { headers: { "content-type": "text/javascript" } })
      : new Response("hello");
  };
  const http = stack.use(Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, answer));
  const socket = HAS_UNIX_SOCKETS ? join(temp.path, "socket") : "";
  if (HAS_UNIX_SOCKETS) stack.use(Deno.listen({ transport: "unix", path: socket }));
  const when = join(temp.path, "when");
  const report = join(temp.path, "report");
  return {
    command: await command(temp.path),
    env: { TRY_URL: `http://127.0.0.1:${http.addr.port}/`, TRY_SOCKET: socket, TRY_WHEN: when, TRY_REPORT: report },
    async tryAll(): Promise<Record<string, string>> {
      await Deno.writeTextFile(when, "");
      const text = await waitFor(() => Deno.readTextFile(report), { message: "the report of the visitor" });
      return JSON.parse(text);
    },
    arrived: () => arrived,
    async comeAgain(): Promise<void> {
      for (const path of [when, report]) await Deno.remove(path);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The sources with the visitor in them; `flags` are Deno's. */
export function visitedSources(flags: readonly string[]): (directory: string) => Promise<Command> {
  return async (directory) => {
    // A copy, because a module of this run's own port must not get into the lock file. Without any, Deno would ask the
    // npm registry for what it needs not know otherwise.
    const lock = join(directory, "deno.lock");
    await Deno.copyFile(LOCK, lock);
    const locked = ["--lock", lock, "--frozen=false"];
    return [Deno.execPath(), "run", "--quiet", ...locked, ...flags, ...WITH_VISITOR, MAIN];
  };
}

/** Holds a visitor's report against what a process without permissions says. */
export function assertAllClosed(outcomes: Readonly<Record<string, string>>): void {
  assert.deepEqual(Object.keys(outcomes), WAYS);
  const closed = /NotCapable|Requires (net|import) access/;
  assert.deepEqual(Object.entries(outcomes).filter(([, outcome]) => !closed.test(outcome)), []);
}
