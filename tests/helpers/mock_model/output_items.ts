/** Turns a step into the output items of a response. */
import type { ChosenStep } from "./choose_step.ts";
import type { Tool } from "./model_request.ts";
import { listOf } from "./step.ts";

/** One output item as the Responses API sends it. */
export type OutputItem =
  & { readonly id: string }
  & (
    | { readonly type: "message"; role: "assistant"; status: "completed"; content: OutputText[] }
    | { readonly type: "reasoning"; summary: SummaryText[]; content: null; encrypted_content: null }
    | { readonly type: "compaction"; encrypted_content: string }
    | CallItem
    | { readonly type: "web_search_call"; status: "completed"; action: { type: "search"; query: string } }
  );

type CallItem =
  & { readonly call_id: string; status: "completed"; name: string; namespace?: string }
  & ({ readonly type: "function_call"; arguments: string } | { readonly type: "custom_tool_call"; input: string });

interface OutputText {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: never[];
}

interface SummaryText {
  readonly type: "summary_text";
  readonly text: string;
}

type Tools = ReadonlyMap<string, Tool>;
type Call =
  & { readonly name: string; readonly namespace?: string | undefined }
  & ({ readonly arguments: Readonly<Record<string, unknown>> } | { readonly input: string });

/** Lists what the model says and calls in this step, for the tools that the request offers. */
export function outputItems(chosen: ChosenStep, tools: Tools): OutputItem[] {
  const { step } = chosen;
  let made = 0;
  const newId = (kind: string): string => `${kind}_${chosen.script}_${chosen.number}_${made++}`;
  const items: OutputItem[] = [];
  if (step.reason !== undefined) {
    const summary: SummaryText[] = [{ type: "summary_text", text: step.reason }];
    items.push({ type: "reasoning", id: newId("rs"), summary, content: null, encrypted_content: null });
  }
  for (const said of listOf(step.say)) {
    const text = step.repeat === undefined
      ? said
      : said.repeat(Math.ceil(step.repeat / said.length)).slice(0, step.repeat);
    const content: OutputText[] = [{ type: "output_text", text, annotations: [] }];
    items.push({ type: "message", id: newId("msg"), role: "assistant", status: "completed", content });
  }
  for (const call of callsOf(chosen, tools)) {
    const namespace = call.namespace ?? tools.get(call.name)?.namespace;
    const common: Omit<CallItem, "type"> & { id: string } = {
      id: newId("it"),
      call_id: newId("call"),
      status: "completed",
      name: call.name,
      ...(namespace === undefined ? {} : { namespace }),
    };
    items.push(
      "input" in call
        ? { ...common, type: "custom_tool_call", input: call.input }
        : { ...common, type: "function_call", arguments: JSON.stringify(call.arguments) },
    );
  }
  if (step.search !== undefined) {
    const { search: query } = step;
    items.push({ type: "web_search_call", id: newId("it"), status: "completed", action: { type: "search", query } });
  }
  if (step.compaction !== undefined) {
    items.push({ type: "compaction", id: newId("cmp"), encrypted_content: step.compaction });
  }
  return items;
}

function callsOf({ step }: ChosenStep, tools: Tools): Call[] {
  const calls: Call[] = [];
  if (step.plan !== undefined) calls.push(planCall(step.plan, tools));
  for (const command of listOf(step.shell)) calls.push(shellCall(command, tools, step.shellArguments));
  const patch = step.patch ?? (step.write === undefined ? undefined : patchThatAdds(step.write));
  if (patch !== undefined) calls.push(patchCall(patch, tools));
  for (const code of listOf(step.code)) calls.push({ name: "exec", input: code });
  for (const tool of listOf(step.tool)) calls.push({ ...tool, arguments: tool.arguments ?? {} });
  return calls;
}

/** Models in code mode get one free text tool, `exec`, that runs JavaScript with `tools.*` inside. */
function isCodeMode(tools: Tools): boolean {
  return tools.get("exec")?.type === "custom";
}

function shellCall(command: string, tools: Tools, more: Readonly<Record<string, unknown>> = {}): Call {
  const unified = { cmd: command, yield_time_ms: 30_000, ...more };
  if (tools.has("exec_command")) return { name: "exec_command", arguments: unified };
  if (tools.has("shell_command")) return { name: "shell_command", arguments: { command, ...more } };
  if (tools.has("shell")) return { name: "shell", arguments: { command: ["bash", "-lc", command], ...more } };
  if (!isCodeMode(tools)) return { name: "exec_command", arguments: unified };
  // Longest yield time first: the whole script is one call, so it polls a command that went to the background itself.
  const code = `// @exec: {"yield_time_ms": 3600000}
let result = await tools.exec_command(${JSON.stringify(unified)});
let output = result.output;
while (result.exit_code === undefined && result.session_id !== undefined) {
  result = await tools.write_stdin({ session_id: result.session_id, chars: "", yield_time_ms: 30000 });
  output += result.output;
}
text(JSON.stringify({ ...result, output }));`;
  return { name: "exec", input: code };
}

function patchCall(patch: string, tools: Tools): Call {
  const tool = tools.get("apply_patch");
  if (tool?.type === "custom") return { name: "apply_patch", input: patch };
  if (tool !== undefined) return { name: "apply_patch", arguments: { input: patch } };
  if (isCodeMode(tools)) {
    return { name: "exec", input: `text(JSON.stringify(await tools.apply_patch(${JSON.stringify(patch)})));` };
  }
  return shellCall(`apply_patch <<'END_OF_PATCH'\n${patch}\nEND_OF_PATCH`, tools);
}

function planCall(steps: readonly (readonly [string, string])[], tools: Tools): Call {
  const plan = { plan: steps.map(([step, status]) => ({ step, status })) };
  if (tools.has("update_plan") || !isCodeMode(tools)) return { name: "update_plan", arguments: plan };
  return { name: "exec", input: `text(JSON.stringify(await tools.update_plan(${JSON.stringify(plan)})));` };
}

function patchThatAdds(files: Readonly<Record<string, string>>): string {
  const added = Object.entries(files).flatMap(([path, text]) => [
    `*** Add File: ${path}`,
    ...text.replace(/\n$/, "").split("\n").map((line) => `+${line}`),
  ]);
  return ["*** Begin Patch", ...added, "*** End Patch"].join("\n");
}
