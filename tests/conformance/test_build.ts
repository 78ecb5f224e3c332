/** This program's server over HTTP, with the tools, resources and prompts that the conformance suite calls by name. */
import {
  inputRequired,
  type JSONRPCRequest,
  type Result,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { capabilities, serveAll, type ServerOptions } from "../../src/server/create_server.ts";
import { type HttpServer, startHttp } from "../../src/server/http/start_http.ts";
import { KeptCalls } from "../../src/server/kept_calls.ts";
import { OpenCalls } from "../../src/server/open_calls.ts";
import { ResourceUpdates } from "../../src/server/resource_updates.ts";
import { HandleFiles } from "../../src/storage/handle_files.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { toolServices } from "../helpers/tool_calls.ts";
import { ASKING_TOOLS } from "./fixtures/asking_tools.ts";
import { askingTasks } from "./fixtures/asking_tasks.ts";
import { CONTENT_TOOLS } from "./fixtures/content_tools.ts";
import { PROMPT_LAYERS } from "./fixtures/fixture_prompts.ts";
import { isFixture, RESOURCE_LAYERS } from "./fixtures/fixture_resources.ts";
import { listFixture } from "./fixtures/fixture_tool.ts";
import { givenName, INPUT_REQUIRED_TOOLS, WHO } from "./fixtures/input_required_tools.ts";
import { type Layer, layered, type Layers, readNamed } from "./fixtures/layer.ts";
import { OWN_TOOLS } from "./fixtures/own_tools.ts";
import { TASK_TOOLS } from "./fixtures/task_tools.ts";

const TOOLS = [...OWN_TOOLS, ...TASK_TOOLS];
const FIXTURE_TOOLS = [...CONTENT_TOOLS, ...ASKING_TOOLS, ...INPUT_REQUIRED_TOOLS];

/** The fixtures are asked before each handler of the server's own, the first of these first. */
const LAYERS: readonly Layers[] = [
  {
    "tools/list": async (_params, { next }) => {
      const { tools, ...rest } = await next();
      return { ...rest, tools: [...(Array.isArray(tools) ? tools : []), ...FIXTURE_TOOLS.map(listFixture)] };
    },
    "tools/call": async (params, { context, next }) => {
      const { name, arguments: args } = readNamed(params);
      const fixture = FIXTURE_TOOLS.find((tool) => tool.name === name);
      return fixture === undefined ? await next() : await fixture.call(args, context);
    },
  },
  { "tools/call": askFirst },
  askingTasks(),
  RESOURCE_LAYERS,
  PROMPT_LAYERS,
];

/** The one tool that asks before its call is answered with a handle. */
function askFirst(...[params, { context, next }]: Parameters<Layer>): Promise<Result> {
  if (readNamed(params).name !== "test_tool_with_task") return next();
  const name = givenName(context);
  if (name === undefined) return Promise.resolve(inputRequired({ inputRequests: { user_name: WHO } }));
  return next({ arguments: { name } });
}

/** A server of which each handler has the fixtures before it. */
class LayeredServer extends Server {
  protected override _wrapHandler(
    method: string,
    handler: (request: JSONRPCRequest, context: ServerContext) => Promise<Result>,
  ): (request: JSONRPCRequest, context: ServerContext) => Promise<Result> {
    const layers = LAYERS.flatMap((layers) => layers[method] ?? []);
    return super._wrapHandler(method, layers.reduceRight((next, layer) => layered(layer, next), handler));
  }
}

/** Starts it on a free port, for everybody on this machine. */
export async function startTestBuild(): Promise<HttpServer & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const stateDir = stack.use(await tempDirectory()).path;
  const ending = new AbortController();
  const services = toolServices({});
  const repository = (): Promise<string> => Promise.resolve("/repository/.git");
  const kept = new KeptCalls({
    files: new HandleFiles(stateDir),
    tools: TOOLS,
    offered: TOOLS.map(({ name }) => name),
    services,
    repository,
    maxAgeMs: 3_600_000,
    ending: ending.signal,
    log: services.log,
    now: () => new Date(),
  });
  stack.defer(() => kept.settled());
  const updates = new ResourceUpdates({ look: (uri) => isFixture(uri) ? "" : null });
  const options: Omit<ServerOptions, "era"> = {
    version: "0.0.0",
    tools: TOOLS,
    resources: [],
    templates: [],
    updates,
    completeIds: () => Promise.resolve([]),
    services,
    kept,
    repository,
    instructions: "For the conformance suite.",
    transport: "http",
    ending: ending.signal,
    maxWaitMs: null,
    calls: new OpenCalls(),
    log: services.log,
  };
  const server = await startHttp({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    gate: { allowedHosts: new Set(), allowedOrigins: new Set(), token: null },
    makeServer: ({ era }) => Promise.resolve(makeServer({ ...options, era })),
    health: () => ({ status: "ok" }),
    updates,
    log: services.log,
  });
  stack.defer(() => server.close());
  stack.defer(() => {
    server.stop();
    ending.abort();
  });
  const owned = stack.move();
  return { ...server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function makeServer(options: ServerOptions): Server {
  const server = new LayeredServer(
    { name: "codex-swarm", version: options.version },
    { capabilities: { ...capabilities(options), logging: {} }, instructions: options.instructions },
  );
  serveAll(server, options);
  return server;
}
