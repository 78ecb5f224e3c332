import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../.github/scripts/run_flags.ts";
import { MAIN } from "./helpers/server_process.ts";
import { startHttpServer } from "./helpers/http_server.ts";
import { startSwarm } from "./helpers/swarm.ts";
import { tempDirectory } from "./helpers/temp_directory.ts";
import { waitFor } from "./helpers/wait_for.ts";

const PRELOAD = fileURLToPath(new URL("fixtures/try_to_reach_out.ts", import.meta.url));
const LOCK = fileURLToPath(new URL("../deno.lock", import.meta.url));
const HAS_UNIX_SOCKETS = Deno.build.os !== "windows";
/** Every way out that the fixture knows. */
const WAYS = [
  ...["fetch", "connect", "listen", "node", "datagram", "node_datagram"],
  ...(HAS_UNIX_SOCKETS ? ["unix", "node_unix"] : []),
  ...["websocket", "import", "request", "dlopen"],
];

/** A visitor in the process of a server that is started so. */
interface Visit extends AsyncDisposable {
  readonly command: [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Tries all ways out from inside the running server. */
  tryAll(): Promise<Record<string, string>>;
}

/** Prepares a visit; `flags` are Deno's. */
async function prepareVisit(flags: readonly string[]): Promise<Visit> {
  const stack = new AsyncDisposableStack();
  const temp = stack.use(await tempDirectory());
  const answer = (request: Request): Response =>
    request.url.endsWith(".js")
      ? new Response("export {};", { headers: { "content-type": "text/javascript" } })
      : new Response("hello");
  const http = stack.use(Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, answer));
  const socket = HAS_UNIX_SOCKETS ? join(temp.path, "socket") : "";
  if (HAS_UNIX_SOCKETS) stack.use(Deno.listen({ transport: "unix", path: socket }));
  const when = join(temp.path, "when");
  const report = join(temp.path, "report");
  // A copy, because a module of this run's own port must not get into the lock file. Without any, Deno would ask the
  // npm registry for what it needs not know otherwise.
  const lock = join(temp.path, "deno.lock");
  await Deno.copyFile(LOCK, lock);
  const locked = ["--lock", lock, "--frozen=false"];
  return {
    command: [Deno.execPath(), "run", "--quiet", "--unstable-net", ...locked, ...flags, "--preload", PRELOAD, MAIN],
    env: { TRY_URL: `http://127.0.0.1:${http.addr.port}/`, TRY_SOCKET: socket, TRY_WHEN: when, TRY_REPORT: report },
    async tryAll(): Promise<Record<string, string>> {
      await Deno.writeTextFile(when, "");
      const text = await waitFor(() => Deno.readTextFile(report), { message: "the report of the visitor" });
      return JSON.parse(text);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("a serving process reaches nobody and loads nothing foreign, says so, and all its tools work", async () => {
  await using visit = await prepareVisit(RUN_FLAGS);
  await using swarm = await startSwarm(visit);
  const { structured: first } = await swarm.call("codex", { prompt: "fake:say(one)" });
  const { structured: second } = await swarm.call("codex_reply", { threadId: first.threadId, prompt: "fake:say(two)" });
  const alias = { conversationId: first.threadId, prompt: "fake:say(three)" };
  const { structured: third } = await swarm.call("codex-reply", alias);
  const { structured: started } = await swarm.call("codex_async", { prompt: "fake:hold(never)" });
  const { structured: status } = await swarm.call("codex_status", { task_ids: [started.task_id] });
  const { structured: cancelled } = await swarm.call("codex_cancel", { task_id: started.task_id });
  const { structured: waited } = await swarm.call("codex_wait", { task_ids: [started.task_id] });
  assert.deepEqual([first, second, third].map(({ content }) => content), ["one", "two", "three"]);
  assert.equal(status.tasks.length, 1);
  assert.deepEqual([cancelled.status, waited.tasks[0].status], ["cancelled", "cancelled"]);
  assert.deepEqual((await swarm.resource("server-info")).permissions, {
    run: "granted",
    read: "granted",
    write: "granted",
    env: "granted",
    sys: "granted",
    net: "denied",
    ffi: "denied",
    import: "denied",
  });

  assertAllClosed(await visit.tryAll());
});

Deno.test("a server over HTTP can be called, and can call nobody", async () => {
  await using visit = await prepareVisit(RUN_FLAGS);
  await using server = await startHttpServer(visit);
  assertAllClosed(await visit.tryAll());
  for (const era of ["2025", "2026"] as const) {
    await using client = await server.connect({ era });
    const { structured } = await client.call("codex", { prompt: "fake:say(called)" });
    assert.equal(structured.content, "called");
  }
});

function assertAllClosed(outcomes: Readonly<Record<string, string>>): void {
  assert.deepEqual(Object.keys(outcomes), WAYS);
  for (const way of WAYS) assert.match(outcomes[way] ?? "", /NotCapable|Requires (net|import) access/, way);
}

Deno.test("the same ways are open when nothing is revoked or denied (control)", async () => {
  await using visit = await prepareVisit(RUN_FLAGS.map((flag) => flag.replace("--deny-", "--allow-")));
  await using _swarm = await startSwarm({ ...visit, env: { ...visit.env, TRY_KEEP: "1" } });
  assert.deepEqual(await visit.tryAll(), Object.fromEntries(WAYS.map((way) => [way, "open"])));
});
