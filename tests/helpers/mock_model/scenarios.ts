/** The scripts that a prompt names as `mock:NAME` or `mock:NAME(argument)`. */
import type { StepInput } from "./step.ts";

type Scenario = (argument: string | undefined, prompt: string) => StepInput[];

/** The known scenarios; `echo` answers prompts that name none. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ["echo", (_argument, prompt) => [{ say: `mock reply to: ${prompt.slice(0, 200)}` }]],
  ["hello", () => [{ say: "hello from the mock" }]],
  ["say", (text = "hello from the mock") => [{ say: text }]],
  ["json", (json = '{"answer":42}') => [{ say: json }]],
  ["shell", (command = "echo hi from shell") => [{ shell: command }, { say: "shell done" }]],
  ["sleep", (seconds = "5") => [{ shell: `sleep ${seconds}; echo slept` }, { say: "slept" }]],
  ["tools", () => [
    { reason: "I will look around.", say: "Looking.", shell: ["pwd", "echo one", "sh -c 'echo bad >&2; exit 3'"] },
    { shell: "echo two" },
    { say: "all tools done" },
  ]],
  ["patch", (path = "mock_file.txt") => [{ write: { [path]: "written by the mock\n" } }, { say: "patched" }]],
  ["plan", () => [
    { plan: [["look", "in_progress"], ["act", "pending"]] },
    { plan: [["look", "completed"], ["act", "in_progress"]] },
    { plan: [["look", "completed"], ["act", "completed"]] },
    { say: "planned" },
  ]],
  ["reason", () => [{
    reason: "**Thinking**\n\nabout it",
    say: "thought",
    usage: { input: 1000, cached: 400, output: 50, reasoning: 30 },
  }]],
  ["usage", (input = "12345") => [{
    say: "usage",
    usage: { input: Number(input), cached: 2345, output: 678, reasoning: 90 },
  }]],
  ["search", (query = "mock query") => [{ search: query, say: "searched" }]],
  ["huge", (length = "1000000") => [{ say: "0123456789abcdef", repeat: Number(length), chunkLength: 4096 }]],
  ["hugeshell", (length = "1000000") => [
    { shell: `head -c ${length} /dev/zero | tr '\\0' x` },
    { say: "huge shell output done" },
  ]],
  ["slow", (seconds = "0") => [{
    say: "slow and steady ".repeat(20),
    chunkMs: 100,
    chunkLength: 16,
    holdMs: Number(seconds) * 1000,
  }]],
  ["delay", (seconds = "3") => [{ delayMs: Number(seconds) * 1000, say: `answered after ${seconds}s` }]],
  ["gather", (count = "2") => [{ gather: Number(count), say: "gathered" }]],
  ["hang", (where = "body") => [{ hang: where === "headers" ? "headers" : "body" }]],
  ["http", (status = "500") => [{ status: Number(status) }]],
  ["limit", (seconds = "3600") => [{ usage_limit: { resets_in_seconds: Number(seconds) } }]],
  ["cut", (times) => [{
    say: "this answer is cut off",
    cut: true,
    ...(times === undefined ? {} : { failTimes: Number(times) }),
  }]],
  ["fail", (code = "server_error") => [{ fail: { code, message: "mock failure" } }]],
]);
