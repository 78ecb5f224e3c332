/** Where the HTTP servers of a state directory can be reached: a file for each that lives, locked by it. */
import { join } from "node:path";
import * as z from "zod";
import { tryLock } from "./kernel_lock.ts";
import { writeAside } from "./write_aside.ts";

/** What a server asks its clients for: nothing, the token that it was given, or the one that stands in a file. */
export type EndpointToken = z.output<typeof endpointToken>;
const endpointToken = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("given") }),
  z.object({ kind: z.literal("file"), path: z.string() }),
]);

/** A server that listens. */
export interface Endpoint {
  /** Of its MCP endpoint; `unix:///PATH#/mcp` for a socket. */
  readonly url: string;
  readonly pid: number;
  readonly token: EndpointToken;
}

const server = { url: z.string(), pid: z.int() };
const stored = z.union([
  z.object({ ...server, token: endpointToken }),
  // As older servers note it; `null` where they take no token, or have it from their environment.
  z.object({ ...server, tokenFile: z.string().nullable() }).transform(({ tokenFile, ...rest }): Endpoint => ({
    ...rest,
    token: tokenFile === null ? { kind: "given" } : { kind: "file", path: tokenFile },
  })),
]);

/** Tells others of this server until the result is disposed, or the process ends. */
export async function noteEndpoint(directory: string, endpoint: Endpoint): Promise<Disposable> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${Date.now()}-${endpoint.pid}.json`);
  const lock = tryLock(`${path}.lock`);
  await writeAside(path, `${JSON.stringify(endpoint)}\n`);
  return {
    [Symbol.dispose]: (): void => {
      for (const name of [path, `${path}.lock`]) {
        try {
          Deno.removeSync(name);
        } catch {
          // Somebody has cleaned up.
        }
      }
      lock?.[Symbol.dispose]();
    },
  };
}

/** The servers that live, the newest last. What servers have left that were killed is removed. */
export async function listEndpoints(directory: string): Promise<Endpoint[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) if (name.endsWith(".json")) names.push(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const found = names.sort().map((name) => readEndpoint(join(directory, name)));
  return found.flatMap((endpoint) => endpoint ?? []);
}

function readEndpoint(path: string): Endpoint | null {
  try {
    // Nobody holds the lock of a server that is gone.
    using lock = tryLock(`${path}.lock`);
    if (lock === null) return stored.parse(JSON.parse(Deno.readTextFileSync(path)));
    for (const name of [path, `${path}.lock`]) Deno.removeSync(name);
  } catch {
    // It ends just now, or is a newer program's.
  }
  return null;
}
