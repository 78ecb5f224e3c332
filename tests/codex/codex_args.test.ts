import assert from "node:assert/strict";
import { codexArgs, type CodexArgsInput } from "../../src/codex/codex_args.ts";
import { TaskError, type TaskErrorCode } from "../../src/task/errors.ts";
import type { ServerSettings, TaskSpec } from "../../src/task/spec.ts";
import { SPEC } from "../helpers/example_spec.ts";

const THREAD = "01a1f744-634e-71b1-a39a-93788d7eea39";

const INPUT: CodexArgsInput = {
  spec: SPEC,
  taskId: "0a1b2c3d",
  depth: 0,
  files: {},
  isFlagSupported: () => true,
  codexVersion: "0.50.0",
};

const PLAN = ["-c", "tools.update_plan.enabled=true"];
const MARKS = [
  "-c",
  'shell_environment_policy.set.CODEX_SWARM_TASK_ID="0a1b2c3d"',
  "-c",
  'shell_environment_policy.set.CODEX_SWARM_DEPTH="1"',
];

interface Row {
  readonly name: string;
  readonly spec?: Partial<TaskSpec>;
  readonly input?: Partial<CodexArgsInput>;
  readonly server?: Partial<ServerSettings>;
  readonly args: readonly string[];
}

const table: readonly Row[] = [
  { name: "nothing but a directory", args: ["exec", "-C", "/repo", ...PLAN, ...MARKS, "--json", "-"] },
  {
    name: "sandbox, add-dirs, profile, model, output-schema",
    spec: { sandbox: "workspace-write", addDirs: ["/a", "/b"], profile: "work", model: "gpt-5.5" },
    input: { files: { outputSchema: "/t/schema.json" } },
    args: [
      ..."exec -s workspace-write -C /repo --add-dir /a --add-dir /b -p work -m gpt-5.5".split(" "),
      ...["--output-schema", "/t/schema.json", ...PLAN, ...MARKS, "--json", "-"],
    ],
  },
  {
    name: "the server's flags",
    server: { skipGitRepoCheck: true, ephemeral: true },
    args: [..."exec -C /repo".split(" "), ...PLAN, ...MARKS, "--skip-git-repo-check", "--ephemeral", "--json", "-"],
  },
  {
    name: "the server's config verbatim, the call's after it, typed parameters last",
    spec: {
      config: { model_verbosity: "low", a: { "b.c": 1 } },
      reasoningEffort: "xhigh",
      network: false,
      developerInstructions: "[1,2]",
      compactPrompt: 'keep "all"\n',
    },
    input: {
      depth: 2,
      files: { baseInstructions: "/t/base.md" },
    },
    server: {
      config: ["model_verbosity=high", "x = raw value"],
      withheldEnv: ["A_TOKEN", "B_KEY"],
      disabledMcpServers: ["swarm", "a.b"],
    },
    args: [
      ..."exec -C /repo".split(" "),
      ...[
        'mcp_servers={"a.b"={enabled=false}}',
        "tools.update_plan.enabled=true",
        "model_verbosity=high",
        "x = raw value",
        'model_verbosity="low"',
        'a={"b.c"=1}',
        'model_reasoning_effort="xhigh"',
        "sandbox_workspace_write.network_access=false",
        'developer_instructions="[1,2]"',
        'compact_prompt="keep \\"all\\"\\n"',
        'model_instructions_file="/t/base.md"',
        "mcp_servers.swarm.enabled=false",
        'shell_environment_policy.exclude=["A_TOKEN","B_KEY"]',
        'shell_environment_policy.set.CODEX_SWARM_TASK_ID="0a1b2c3d"',
        'shell_environment_policy.set.CODEX_SWARM_DEPTH="3"',
      ].flatMap((value) => ["-c", value]),
      "--json",
      "-",
    ],
  },
  {
    name: "the server's own word on the plan tool",
    server: { config: [" tools = {web_search=true}"] },
    args: [..."exec -C /repo -c".split(" "), " tools = {web_search=true}", ...MARKS, "--json", "-"],
  },
  {
    name: "the call's own word on the plan tool",
    spec: { config: { tools: { update_plan: { enabled: false } } } },
    args: [..."exec -C /repo -c tools.update_plan.enabled=false".split(" "), ...MARKS, "--json", "-"],
  },
  {
    name: "images that swallow nothing",
    spec: { images: ["/a.png", "/b.png"] },
    args: [..."exec -C /repo".split(" "), ...PLAN, ...MARKS, ..."--json --image /a.png --image /b.png -- -".split(" ")],
  },
  {
    name: "a resumed thread",
    spec: { resumeThreadId: THREAD, sandbox: "read-only", model: "m", addDirs: ["/a"], profile: "p" },
    server: { skipGitRepoCheck: true },
    args: [
      ..."exec -s read-only -C /repo --add-dir /a -p p -m m".split(" "),
      ...PLAN,
      ...MARKS,
      ...["--skip-git-repo-check", "--json", "resume", THREAD, "-"],
    ],
  },
  {
    name: "a resumed thread with an image",
    spec: { resumeThreadId: THREAD, images: ["/a.png"] },
    args: [
      ..."exec -C /repo".split(" "),
      ...PLAN,
      ...MARKS,
      ..."--json resume --image /a.png --".split(" "),
      THREAD,
      "-",
    ],
  },
];

for (const { name, spec, input, server, args } of table) {
  Deno.test(`codexArgs() passes ${name}`, () => {
    assert.deepEqual(
      codexArgs({ ...INPUT, ...input, spec: { ...SPEC, ...spec, server: { ...SPEC.server, ...server } } }),
      args,
    );
  });
}

interface Refusal {
  readonly name: string;
  readonly spec?: Partial<TaskSpec>;
  readonly input?: Partial<CodexArgsInput>;
  readonly code: TaskErrorCode;
  readonly message: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    name: "a thread name that is no UUID",
    spec: { resumeThreadId: "latest" },
    code: "invalid_argument",
    message: /"latest" is no thread id/,
  },
  {
    name: "a model that looks like a flag",
    spec: { model: "--yolo" },
    code: "invalid_argument",
    message: /"--yolo" is no value for model/,
  },
  { name: "an empty profile", spec: { profile: "" }, code: "invalid_argument", message: /"" is no value for profile/ },
  {
    name: "an image path with a comma",
    spec: { images: ["/a,b.png"] },
    code: "invalid_argument",
    message: /splits image paths at commas/,
  },
  { name: "NUL in a path", spec: { cwd: "/a\u0000b" }, code: "invalid_argument", message: /NUL/ },
  {
    name: "a flag that this Codex does not have",
    spec: { addDirs: ["/a"] },
    input: { isFlagSupported: (flag) => flag !== "--add-dir" },
    code: "codex_unsupported",
    message: /^Codex 0\.50\.0 has no --add-dir in `codex exec`, which add-dirs needs/,
  },
  {
    name: "images on resume where only exec has them",
    spec: { resumeThreadId: THREAD, images: ["/a.png"] },
    input: { isFlagSupported: (flag, command) => flag !== "--image" || command === "exec" },
    code: "codex_unsupported",
    message: /no --image in `codex exec resume`, which images needs/,
  },
];

for (const { name, spec, input, code, message } of refusals) {
  Deno.test(`codexArgs() refuses ${name}`, () => {
    assert.throws(() => codexArgs({ ...INPUT, ...input, spec: { ...SPEC, ...spec } }), (error) => {
      assert.ok(error instanceof TaskError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("codexArgs() asks for no flag that the call does not need", () => {
  const asked: string[] = [];
  const isFlagSupported = (flag: string): boolean => {
    asked.push(flag);
    return true;
  };
  codexArgs({ ...INPUT, isFlagSupported });
  assert.deepEqual(asked, ["--cd", "--json"]);
});
