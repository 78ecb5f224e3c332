/**
 * The least that can stand beside us with `--peer`: answers in codex-mcp-swarm's words only, keeps everything in memory,
 * and looks for ends every now and then. It has no `codex_cancel`: a row that needs it has no figure of this one.
 */
import { get } from "./answers.ts";
import { pass } from "./rounds.ts";

const LOOK_EVERY_MS = 100;
const TOOLS = ["codex_async", "codex_wait", "codex_status"];

/** Exit codes by task; `null` while the agent runs. */
const exits = new Map<string, number | null>();

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = `${rest}${text}`.split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) void receive(JSON.parse(line));
}
Deno.exit(0);

async function receive(message: unknown): Promise<void> {
  const id = get(message, "id");
  if (id === undefined) return;
  const result = await resultOf(String(get(message, "method")), get(message, "params"));
  const line = `${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`;
  const bytes = new TextEncoder().encode(line);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

async function resultOf(method: string, params: unknown): Promise<object> {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: get(params, "protocolVersion"),
        capabilities: { tools: {} },
        serverInfo: { name: "tiny-peer", version: "1.0.0" },
      };
    case "tools/list":
      return { tools: TOOLS.map((name) => ({ name, inputSchema: { type: "object" } })) };
    case "tools/call":
      return { content: [{ type: "text", text: await call(String(get(params, "name")), get(params, "arguments")) }] };
    default:
      return {};
  }
}

async function call(tool: string, input: unknown): Promise<string> {
  if (tool === "codex_async") return start(String(get(input, "prompt")));
  const asked = get(input, "task_ids");
  const ids = Array.isArray(asked) ? asked.map(String) : [];
  if (tool === "codex_wait") { while (ids.some((id) => exits.get(id) === null)) await pass(LOOK_EVERY_MS); }
  return ids.map((id) => `=== Task ${id} (${wordsOf(exits.get(id))}) ===`).join("\n\n");
}

function wordsOf(exitCode: number | null | undefined): string {
  if (exitCode === undefined) return "not found";
  if (exitCode === null) return "1s elapsed";
  return exitCode === 0 ? "completed in 1s" : `FAILED in 1s, exit ${exitCode}`;
}

function start(prompt: string): string {
  const id = crypto.randomUUID().slice(0, 8);
  const { status } = new Deno.Command("codex", {
    args: ["exec", "--json", prompt],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  exits.set(id, null);
  status.then(({ code }) => exits.set(id, code));
  return `Codex task started in background.\nTask ID: ${id}`;
}
