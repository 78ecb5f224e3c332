/** The server with the real Codex CLI behind it, whose model is mocked. */
import { join } from "node:path";
import { z } from "zod";
import { type MockModel, startMockModel } from "./mock_model.ts";
import { ensureRealCodex, makeCodexHome, type RealCodex, realCodexEnvironment } from "./real_codex.ts";
import { startSwarm, type Swarm, type SwarmOptions } from "./swarm.ts";

export interface RealSwarmOptions extends Omit<SwarmOptions, "codex"> {
  /** Default: one of its own. */
  readonly model?: MockModel;
  /** CODEX_HOME; default: a fresh one. Pass one to restart a server on it. */
  readonly home?: string;
  /** The user's config.toml. */
  readonly config?: string;
  /** Which of Codex's two programs the server is given; default the native one. */
  readonly program?: "native" | "launcher";
}

export interface RealSwarm extends Swarm {
  readonly model: MockModel;
  readonly home: string;
  readonly real: RealCodex;
  /** Starts a task with codex_async and yields its id. */
  begin(prompt: string, args?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Waits for the ends of tasks and yields their data, in the order of the ids. */
  // deno-lint-ignore no-explicit-any
  ends(...ids: readonly string[]): Promise<any[]>;
  /** What a task does right now, or how it ended. */
  // deno-lint-ignore no-explicit-any
  look(id: string): Promise<any>;
}

/** A provider as the mock, but without patience: one retry instead of five. */
export const HASTY = { model_provider: "hasty" };

/** Starts a server with a real Codex and connects a client to it. */
export async function startRealSwarm(options: RealSwarmOptions = {}): Promise<RealSwarm> {
  const stack = new AsyncDisposableStack();
  try {
    const real = await ensureRealCodex();
    const model = options.model ?? stack.use(await startMockModel());
    const home = options.home ?? stack.use(makeCodexHome()).path;
    if (options.config !== undefined) Deno.writeTextFileSync(join(home, "config.toml"), options.config);
    const { env, serverArguments } = realCodexEnvironment({ model, home });
    const swarm = stack.use(
      await startSwarm({
        ...options,
        codex: { path: real[options.program ?? "native"], home },
        env: { ...env, DENO_DIR: await denoDir(), ...options.env },
        // Longer than a loaded machine needs for anything here.
        args: [...serverArguments, "-c", hastyProvider(model), "--max-wait", "100s", ...(options.args ?? [])],
      }),
    );
    stack.defer(() => cancelAll(swarm));
    return {
      ...swarm,
      model,
      home,
      real,
      begin: async (prompt, args) => (await swarm.call("codex_async", { prompt, ...args })).structured.task_id,
      ends: async (...ids) => (await swarm.call("codex_wait", { task_ids: ids })).structured.tasks,
      look: async (id) => (await swarm.call("codex_status", { task_ids: [id] })).structured.tasks[0],
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A failed test may leave agents behind that outlive their server and look for their model for ever. */
async function cancelAll(swarm: Swarm): Promise<void> {
  try {
    const tasks: readonly { readonly task_id: string; readonly status: string }[] = await swarm.resource("tasks");
    const open = tasks.filter(({ status }) => status === "running" || status === "queued");
    await Promise.all(open.map(({ task_id }) => swarm.call("codex_cancel", { task_id })));
  } catch {
    // The test has ended the server itself.
  }
}

function hastyProvider({ baseUrl }: MockModel): string {
  const provider = {
    name: '"hasty"',
    base_url: JSON.stringify(baseUrl),
    wire_api: '"responses"',
    env_key: '"CODEX_API_KEY"',
    request_max_retries: 1,
    stream_max_retries: 1,
  };
  const pairs = Object.entries(provider).map(([key, value]) => `${key}=${value}`);
  return `model_providers.hasty={${pairs.join(",")}}`;
}

const TurnContext = z.looseObject({
  cwd: z.string(),
  model: z.string(),
  approval_policy: z.string(),
  sandbox_policy: z.looseObject({ type: z.string(), writable_roots: z.array(z.string()).optional() }),
});
export type TurnContext = z.infer<typeof TurnContext>;

/** Lets requests go that a step's `gather` holds until `count` are there: this one is the last. */
export async function joinGathering({ baseUrl }: MockModel, count = 2): Promise<void> {
  const body = JSON.stringify({ model: "any", input: `mock:gather(${count})` });
  const response = await fetch(`${baseUrl}/responses`, { method: "POST", body });
  await response.text();
}

/** What Codex itself recorded of the settings of each turn of a thread. */
export function turnContexts(home: string, threadId: string): TurnContext[] {
  const lines = Deno.readTextFileSync(findRollout(join(home, "sessions"), threadId)).trimEnd().split("\n");
  const records = lines.map((line) =>
    z.looseObject({ type: z.string(), payload: z.unknown() }).parse(JSON.parse(line))
  );
  return records.filter(({ type }) => type === "turn_context").map(({ payload }) => TurnContext.parse(payload));
}

function findRollout(folder: string, threadId: string): string {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) {
      try {
        return findRollout(join(folder, name), threadId);
      } catch {
        continue;
      }
    }
    if (name.endsWith(`-${threadId}.jsonl`)) return join(folder, name);
  }
  throw new Error(`Cannot find the record of thread ${threadId} below ${folder}`);
}

/** Deno's cache, which does not follow when HOME changes. */
export async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stdin: "null" }).output();
  return z.looseObject({ denoDir: z.string() }).parse(JSON.parse(new TextDecoder().decode(stdout))).denoDir;
}
