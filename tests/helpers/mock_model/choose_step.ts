/**
 * Finds in a request the script that rides in its prompt and how far that script has got. The mock's own call and item
 * ids hold the number of the step that made them, so it needs no memory and any number of threads may run at once.
 */
import { type InputItem, type ModelRequest, textOf } from "./model_request.ts";
import { SCENARIOS } from "./scenarios.ts";
import { parseSteps, type Step, type StepInput } from "./step.ts";

/** The step that answers a request. */
export interface ChosenStep {
  readonly step: Step;
  readonly number: number;
  /** Names the script, in lower-case letters and digits. */
  readonly script: string;
  /** The newest prompt. */
  readonly prompt: string;
}

interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Chooses the step for a request; a used up script says "done". */
export function chooseStep(request: ModelRequest, options: { isCompaction: boolean }): ChosenStep {
  const { script, stepsDone, prompt } = readScript(request.input);
  const chosen = (input: StepInput, number = stepsDone, name = script.name): ChosenStep => {
    const [step = script.steps[number]] = parseSteps(input);
    if (step === undefined) throw new Error("Cannot parse a step of the mock's own");
    return { step, number, script: name, prompt };
  };
  const summary = summaryOf(stepsDone);
  if (request.input.at(-1)?.type === "compaction_trigger") {
    return chosen({ compaction: summary }, stepsDone, "compaction");
  }
  if (options.isCompaction || prompt.includes("CONTEXT CHECKPOINT COMPACTION")) {
    return chosen({ say: summary }, stepsDone, "compaction");
  }
  const session = backgroundSession(request.input.at(-1));
  if (session !== undefined) {
    // A command that outlives its yield time goes on in the background, and a real model polls it. Not a step of its own.
    const poll = { name: "write_stdin", arguments: { session_id: session, chars: "", yield_time_ms: 60_000 } };
    return chosen({ tool: poll }, request.input.length, "poll");
  }
  const step = script.steps[stepsDone];
  if (step === undefined) return chosen({ say: "done" });
  return { step: filled(step, request.input), number: stepsDone, script: script.name, prompt };
}

/** Puts into a step what it is to find. */
function filled(step: Step, input: readonly InputItem[]): Step {
  const { find } = step;
  if (find === undefined) return step;
  const outputs = input.flatMap(({ output }) => output === undefined ? [] : [outputText(output)]);
  const [found = "nothing was found"] = outputs.toReversed().flatMap((text) => new RegExp(find).exec(text)?.[1] ?? []);
  const escaped = JSON.stringify(found).slice(1, -1);
  const [whole = step] = parseSteps(JSON.parse(JSON.stringify(step).replaceAll("{found}", () => escaped)));
  return whole;
}

function outputText(output: unknown): string {
  return typeof output === "string" ? output : JSON.stringify(output ?? "");
}

/** Yields the history that stands for a longer one: its prompts and a summary. Older versions ask for it by a request of its own. */
export function compact({ input }: ModelRequest): object[] {
  const summary = { type: "compaction", encrypted_content: summaryOf(readScript(input).stepsDone) };
  return [...input.filter(isPrompt), summary];
}

function summaryOf(stepsDone: number): string {
  return `mock summary of the conversation so far [[mock-steps:${stepsDone}]]`;
}

/** Takes the newest prompt with a script; a newer prompt without one (steering, a follow-up) lets an unfinished script run on. */
function readScript(input: readonly InputItem[]): { script: Script; stepsDone: number; prompt: string } {
  const prompts = [...input.entries()]
    .filter(([_index, item]) => isPrompt(item))
    .map(([index, item]) => ({ text: textOf(item), stepsDone: countSteps(input.slice(index + 1)) }));
  const newest = prompts.at(-1) ?? { text: "", stepsDone: 0 };
  for (const prompt of prompts.toReversed()) {
    const script = findScript(prompt.text);
    if (script === undefined) continue;
    const isUsedUp = prompt.stepsDone >= script.steps.length;
    if (isUsedUp && prompt !== newest) break;
    return { script, stepsDone: prompt.stepsDone, prompt: newest.text };
  }
  return { script: namedScript("echo", undefined, newest.text), stepsDone: newest.stepsDone, prompt: newest.text };
}

/** A user's message, or a task or message from another agent; but not the context that Codex adds as user messages. */
function isPrompt(item: InputItem): boolean {
  const text = textOf(item);
  if (item.type === "agent_message") return /Message Type: (NEW_TASK|MESSAGE)/.test(text);
  return item.type === "message" && item.role === "user" &&
    !/^\s*<([a-z]+_)*(context|instructions|notification|mode|role|aborted|skill|hook)\b|^# AGENTS\.md/i.test(text);
}

function findScript(text: string): Script | undefined {
  const inline = /<<mock\s+([\s\S]*?)>>/.exec(text)?.[1];
  if (inline !== undefined) return inlineScript(inline);
  const [, name, argument] = /(?:^|\s)mock:([a-z0-9]+)(?:\(([^)]*)\))?/i.exec(text) ?? [];
  return name === undefined || !SCENARIOS.has(name) ? undefined : namedScript(name, argument, text);
}

function inlineScript(json: string): Script {
  try {
    return { name: "inline", steps: parseSteps(JSON.parse(json)) };
  } catch (error) {
    return { name: "bad", steps: parseSteps({ say: `Cannot read the script: ${String(error)}` }) };
  }
}

function namedScript(name: string, argument: string | undefined, prompt: string): Script {
  return { name, steps: parseSteps(SCENARIOS.get(name)?.(argument, prompt) ?? []) };
}

/** Counts the steps that the mock has answered; after a compaction its summary says so. */
function countSteps(items: readonly InputItem[]): number {
  let count = 0;
  for (const item of items) {
    const [, script, number] = /^[a-z]+_([a-z0-9]+)_(\d+)_\d+$/.exec(item.call_id ?? item.id ?? "") ?? [];
    const isStep = script !== undefined && script !== "poll" && script !== "compaction";
    if (isStep) count = Math.max(count, Number(number) + 1);
    for (const [, mark] of textOf(item).matchAll(/\[\[mock-steps:(\d+)\]\]/g)) count = Math.max(count, Number(mark));
  }
  return count;
}

function backgroundSession(last: InputItem | undefined): number | undefined {
  if (last?.type !== "function_call_output") return undefined;
  const session = /Process running with session ID (\d+)/.exec(outputText(last.output))?.[1];
  return session === undefined ? undefined : Number(session);
}
