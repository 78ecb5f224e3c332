import { TaskError } from "../task/errors.ts";
import type { TaskSpec } from "../task/spec.ts";
import { flattenConfig, tomlValue } from "./toml_value.ts";

/** Which command a flag is asked for: `exec resume` has its own list. */
export type CodexCommand = "exec" | "exec resume";

/** Input of {@linkcode codexArgs}. */
export interface CodexArgsInput {
  readonly spec: TaskSpec;
  readonly taskId: string;
  /** The task's own depth; its agent's commands see one more. */
  readonly depth: number;
  /** Paths of the files that hold what Codex takes by path only. */
  readonly files: { readonly outputSchema?: string; readonly baseInstructions?: string };
  /** Tells whether the probed Codex has the flag. */
  readonly isFlagSupported: (flag: string, command: CodexCommand) => boolean;
  /** For messages. */
  readonly codexVersion?: string;
}

/** The flag of each parameter: as the help names it, and as it is written here where that is shorter. */
const FLAGS = {
  cwd: { name: "--cd", short: "-C" },
  sandbox: { name: "--sandbox", short: "-s" },
  "add-dirs": { name: "--add-dir", short: "--add-dir" },
  profile: { name: "--profile", short: "-p" },
  model: { name: "--model", short: "-m" },
  images: { name: "--image", short: "--image" },
  "output-schema": { name: "--output-schema", short: "--output-schema" },
};

/** Codex would take any other word for a thread's name and silently start a new thread. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BARE_KEY = /^[A-Za-z0-9_-]+$/;

/**
 * Builds the arguments of one run; the prompt comes through stdin.
 *
 * `exec resume` refuses `-s`, `-C`, `--add-dir` and `-p` behind it and honours them before it, so everything stands
 * before `resume` but the images: `--image` takes all words up to the next flag, hence the `--` after them.
 */
export function codexArgs(input: CodexArgsInput): string[] {
  const { spec, files } = input;
  const { server } = spec;
  const args = [
    "exec",
    ...option(input, "sandbox", spec.sandbox),
    ...option(input, "cwd", spec.cwd),
    ...spec.addDirs.flatMap((directory) => option(input, "add-dirs", directory)),
    ...option(input, "profile", spec.profile),
    ...option(input, "model", spec.model),
    ...option(input, "output-schema", files.outputSchema),
    ...configValues(input).flatMap((value) => ["-c", value]),
    ...(server.skipGitRepoCheck ? flag(input, "--skip-git-repo-check", "the server's --skip-git-repo-check") : []),
    ...(server.ephemeral ? flag(input, "--ephemeral", "the server's --ephemeral") : []),
    ...flag(input, "--json", null),
    ...(spec.resumeThreadId === undefined
      ? [...images(input, "exec"), "-"]
      : ["resume", ...images(input, "exec resume"), threadId(spec.resumeThreadId), "-"]),
  ];
  const broken = args.find((arg) => arg.includes("\u0000"));
  if (broken === undefined) return args;
  throw new TaskError("invalid_argument", `${JSON.stringify(broken)} contains a NUL character.`);
}

/** The `-c` values in Codex's order of precedence: the last one of a key wins. */
function configValues({ spec, taskId, depth, files }: CodexArgsInput): string[] {
  const { config, withheldEnv, disabledMcpServers } = spec.server;
  const call = flattenConfig(spec.config);
  const quoted = disabledMcpServers.filter((name) => !BARE_KEY.test(name));
  return [
    // An inline table replaces what earlier `-c` values put into the same table, so this one comes before all others.
    ...(quoted.length === 0 ? [] : [`mcp_servers=${tomlValue(Object.fromEntries(quoted.map(disabled)))}`]),
    ...([...config, ...call].some(setsPlanTool) ? [] : ["tools.update_plan.enabled=true"]),
    ...config,
    ...call,
    ...typed("model_reasoning_effort", spec.reasoningEffort), // reasoning-effort
    ...typed("sandbox_workspace_write.network_access", spec.network), // network
    ...typed("developer_instructions", spec.developerInstructions), // developer-instructions
    ...typed("compact_prompt", spec.compactPrompt), // compact-prompt
    ...typed("model_instructions_file", files.baseInstructions), // base-instructions
    ...disabledMcpServers.filter((name) => BARE_KEY.test(name)).map((name) => `mcp_servers.${name}.enabled=false`),
    ...typed("shell_environment_policy.exclude", withheldEnv.length === 0 ? undefined : withheldEnv),
    ...typed("shell_environment_policy.set.CODEX_SWARM_TASK_ID", taskId),
    ...typed("shell_environment_policy.set.CODEX_SWARM_DEPTH", String(depth + 1)),
  ];
}

function typed(key: string, value: unknown): string[] {
  return value === undefined ? [] : [`${key}=${tomlValue(value)}`];
}

function disabled(name: string): [string, { readonly enabled: false }] {
  return [name, { enabled: false }];
}

/**
 * The approval policy that a `-c key=value` sets, or `null`. It is not passed on: agents of `codex exec` never ask, and a
 * Codex that has dropped the value refuses to start.
 */
export function approvalPolicyOf(setting: string): string | null {
  const [key, ...value] = setting.split("=");
  return key?.trim() === "approval_policy" ? value.join("=").trim().replaceAll(/^["']|["']$/g, "") : null;
}

/** Tells whether a `key=value` has a say in the plan tool, be it through a table around it. */
function setsPlanTool(value: string): boolean {
  const key = value.slice(0, value.indexOf("=")).trim();
  return ["tools", "tools.update_plan", "tools.update_plan.enabled"].includes(key);
}

function images(input: CodexArgsInput, command: CodexCommand): string[] {
  const { images } = input.spec;
  if (images.length === 0) return [];
  const split = images.find((path) => path.includes(","));
  if (split !== undefined) {
    const message = `Cannot pass the image "${split}": Codex splits image paths at commas. Rename the file.`;
    throw new TaskError("invalid_argument", message);
  }
  return [...images.flatMap((path) => option(input, "images", path, command)), "--"];
}

function threadId(id: string): string {
  if (UUID.test(id)) return id;
  throw new TaskError("invalid_argument", `"${id}" is no thread id: expected a UUID as a task's thread id shows it.`);
}

/** `parameter` is what needs the flag, `null` when every run does. */
function flag(input: CodexArgsInput, name: string, parameter: string | null, command: CodexCommand = "exec"): string[] {
  if (input.isFlagSupported(name, command)) return [name];
  const version = input.codexVersion === undefined ? "The installed Codex" : `Codex ${input.codexVersion}`;
  const wayOut = parameter === null ? "Update Codex" : `Update Codex, or leave ${parameter} out`;
  throw new TaskError(
    "codex_unsupported",
    `${version} has no ${name} in \`codex ${command}\`, which ${parameter ?? "every task"} needs. ${wayOut}.`,
  );
}

function option(
  input: CodexArgsInput,
  parameter: keyof typeof FLAGS,
  value: string | undefined,
  command: CodexCommand = "exec",
): string[] {
  if (value === undefined) return [];
  if (value.startsWith("-") || value === "") {
    throw new TaskError("invalid_argument", `"${value}" is no value for ${parameter}: it is empty or begins with "-".`);
  }
  const { name, short } = FLAGS[parameter];
  flag(input, name, parameter, command);
  return [short, value];
}
