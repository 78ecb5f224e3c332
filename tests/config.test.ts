import assert from "node:assert/strict";
import { helpText } from "../src/cli/help.ts";
import { type Config, ConfigError, type ConfigInput, parseConfig } from "../src/config.ts";
import { flagEntries } from "../src/config/flags.ts";
import predecessors from "./fixtures/predecessor_args.json" with { type: "json" };

const ENV = { HOME: "/home/u" };

function parse(args: readonly string[], input: Partial<ConfigInput> = {}): Config {
  return parseConfig({ args, cwd: "/place", os: "linux", ...input, env: { ...ENV, ...input.env } });
}

function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    parse(args, { env });
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${error}`);
    return error.message;
  }
  throw new Error(`accepted ${args.join(" ")}`);
}

/** What differs from the defaults; a server's environment aside. */
function changes(config: Config): Partial<Config> {
  const defaults = new Map<string, unknown>(Object.entries(parse([])));
  const entries = Object.entries(config).filter(([name, value]) => {
    return name !== "env" && JSON.stringify(value) !== JSON.stringify(defaults.get(name));
  });
  return Object.fromEntries(entries);
}

const AGENTS = {
  cwd: null,
  logDir: "/home/u/.cache/codex-as-mcp/logs",
  timeoutMs: 28_800_000,
  model: null,
  reasoningEffort: null,
};
const TOOL_CHOICE = { toolsets: ["codex", "agents"], tools: null, exclude: [], isReadOnly: false };
const CODEX = { config: [], skipGitRepoCheck: false, ephemeral: false };

Deno.test("parseConfig() gives every default", () => {
  assert.deepEqual(parse([]), {
    command: "mcp-server",
    client: null,
    isPrint: false,
    env: ENV,
    agentEnv: {},
    codex: CODEX,
    codexHome: "/home/u/.codex",
    home: "/home/u",
    cwd: "/place",
    stateDir: "/home/u/.local/state/codex-swarm",
    tasksDir: "/home/u/.local/state/codex-swarm/tasks",
    worktreesDir: "/home/u/.local/state/codex-swarm/worktrees",
    logFile: "/home/u/.local/state/codex-swarm/logs/codex-swarm.log",
    logLevel: "WARNING",
    maxConcurrent: 16,
    taskTimeoutMs: 28_800_000,
    maxWaitMs: null,
    minWaitMs: 150_000,
    offlineTimeoutMs: 1_800_000,
    orphanGraceMs: 60_000,
    onExit: null,
    stallAfterMs: 60_000,
    stallAction: "report",
    onUsageLimit: "wait",
    taskMaxAgeMs: 1_209_600_000,
    allowedCommands: [],
    retentionMs: 1_209_600_000,
    limits: { maxSandbox: null, roots: [] },
    maxDepth: 1,
    depth: 0,
    toolChoice: TOOL_CHOICE,
    agents: AGENTS,
    http: null,
    warnings: [],
  });
});

Deno.test("parseConfig() freezes all that it gives", () => {
  const config = parse(["-c", "a=1"]);
  const parts = [
    config,
    config.env,
    config.agentEnv,
    config.codex,
    config.codex.config,
    config.limits,
    config.limits.roots,
    config.toolChoice,
    config.agents,
    config.warnings,
  ];
  assert.deepEqual(parts.filter((part) => !Object.isFrozen(part)), []);
});

Deno.test("parseConfig() keeps no variable that leads git to one repository, unless it is meant for agents", () => {
  const env = { GIT_DIR: "/repo/.git", GIT_WORK_TREE: "/repo", GIT_INDEX_FILE: "i", GIT_SSH_COMMAND: "ssh -4" };
  const config = parse(["--env", "GIT_DIR=/mine"], { env });
  assert.deepEqual(config.env, { ...ENV, GIT_SSH_COMMAND: "ssh -4" });
  assert.deepEqual(config.agentEnv, { GIT_DIR: "/mine" });
});

interface Row {
  readonly args: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly changes: Partial<Config>;
}

const table: readonly Row[] = [
  { args: "mcp-server", changes: {} },
  { args: "doctor --codex codex-beta", changes: { command: "doctor", codex: { ...CODEX, path: "codex-beta" } } },
  { args: "install codex", changes: { command: "install", client: "codex" } },
  { args: "install --print Claude", changes: { command: "install", client: "Claude", isPrint: true } },
  { args: "uninstall codex-mcp-swarm", changes: { command: "uninstall", client: "codex-mcp-swarm" } },
  { args: "uninstall", changes: { command: "uninstall" } },
  {
    args: "install vscode --state-dir /s",
    changes: {
      command: "install",
      client: "vscode",
      stateDir: "/s",
      tasksDir: "/s/tasks",
      worktreesDir: "/s/worktrees",
      logFile: "/s/logs/codex-swarm.log",
    },
  },
  { args: "--codex ./codex", changes: { codex: { ...CODEX, path: "/place/codex" } } },
  { args: "--retention 90d", changes: { retentionMs: 7_776_000_000 } },
  { args: "--codex ~/codex", changes: { codex: { ...CODEX, path: "/home/u/codex" } } },
  {
    args: '-c model="x" --config a.b=[1,=] -cd=4 -c=e=5 --config=f=6',
    changes: { codex: { ...CODEX, config: ['model="x"', "a.b=[1,=]", "d=4", "e=5", "f=6"] } },
  },
  {
    args: "-c a=1",
    env: { CODEX_SWARM_CONFIG: "b=2\r\n\n c=3 4\n" },
    changes: { codex: { ...CODEX, config: ["b=2", "c=3 4", "a=1"] } },
  },
  {
    args: "-c model -c =x -c a=1",
    changes: {
      codex: { ...CODEX, config: ["a=1"] },
      warnings: [
        'Ignored the setting "model" of -c: expected key=value.',
        'Ignored the setting "x" of -c: expected key=value.',
      ],
    },
  },
  {
    args: "--enable goals --disable=memories",
    changes: { codex: { ...CODEX, config: ["features.goals=true", "features.memories=false"] } },
  },
  {
    args: "--skip-git-repo-check --ephemeral",
    changes: { codex: { config: [], skipGitRepoCheck: true, ephemeral: true } },
  },
  {
    args: "--ephemeral=false",
    env: { CODEX_SWARM_EPHEMERAL: "1", CODEX_SWARM_SKIP_GIT_REPO_CHECK: "Yes" },
    changes: { codex: { ...CODEX, skipGitRepoCheck: true } },
  },
  {
    args: "--env A=flag --env B=x=y",
    env: { CODEX_SWARM_ENV: "A=variable\nC=" },
    changes: { agentEnv: { A: "flag", C: "", B: "x=y" } },
  },
  {
    args: "--env CODEX_HOME=home",
    env: { CODEX_HOME: "/other" },
    changes: { agentEnv: { CODEX_HOME: "home" }, codexHome: "/place/home" },
  },
  { args: "", env: { CODEX_HOME: "/other" }, changes: { codexHome: "/other" } },
  { args: "--max-concurrent 3 --max-concurrent 4", changes: { maxConcurrent: 4 } },
  { args: "--max-concurrent=4", env: { CODEX_SWARM_MAX_CONCURRENT: "8" }, changes: { maxConcurrent: 4 } },
  { args: "", env: { CODEX_SWARM_MAX_CONCURRENT: "8" }, changes: { maxConcurrent: 8 } },
  { args: "", env: { CODEX_SWARM_MAX_CONCURRENT: "" }, changes: {} },
  {
    args: "--task-timeout 90 --max-wait 45s --offline-timeout 1.5h",
    changes: {
      taskTimeoutMs: 90_000,
      maxWaitMs: 45_000,
      offlineTimeoutMs: 5_400_000,
      agents: { ...AGENTS, timeoutMs: 90_000 },
    },
  },
  {
    args: "",
    env: { CODEX_SWARM_TASK_TIMEOUT: "2d", CODEX_SWARM_MAX_WAIT: "5M", CODEX_SWARM_OFFLINE_TIMEOUT: "0.5" },
    changes: {
      taskTimeoutMs: 172_800_000,
      maxWaitMs: 300_000,
      offlineTimeoutMs: 500,
      agents: { ...AGENTS, timeoutMs: 172_800_000 },
    },
  },
  {
    args: "--orphan-grace 0 --on-exit keep --stall-after 5m --stall-action stop --on-usage-limit fail",
    changes: {
      orphanGraceMs: 0,
      onExit: "keep",
      stallAfterMs: 300_000,
      stallAction: "stop",
      onUsageLimit: "fail",
    },
  },
  {
    args: "--stall-action report",
    env: {
      CODEX_SWARM_ORPHAN_GRACE: "2m",
      CODEX_SWARM_ON_EXIT: "stop",
      CODEX_SWARM_STALL_AFTER: "30",
      CODEX_SWARM_STALL_ACTION: "stop",
      CODEX_SWARM_ON_USAGE_LIMIT: "fail",
    },
    changes: { orphanGraceMs: 120_000, onExit: "stop", stallAfterMs: 30_000, onUsageLimit: "fail" },
  },
  {
    args: "--toolsets agents --exclude-tools kill_agent,,cleanup_old_logs --exclude-tools kill_agent --read-only",
    env: { CODEX_SWARM_TOOLSETS: "codex", CODEX_SWARM_EXCLUDE_TOOLS: "codex" },
    changes: {
      toolChoice: {
        ...TOOL_CHOICE,
        toolsets: ["agents"],
        exclude: ["kill_agent", "cleanup_old_logs"],
        isReadOnly: true,
      },
    },
  },
  {
    args: "--tools codex_wait,codex_status",
    changes: { toolChoice: { ...TOOL_CHOICE, toolsets: [], tools: ["codex_wait", "codex_status"] } },
  },
  {
    args: "",
    env: { CODEX_SWARM_TOOLSETS: "codex", CODEX_SWARM_TOOLS: " spawn_agent, kill_agent", CODEX_SWARM_READ_ONLY: "no" },
    changes: { toolChoice: { ...TOOL_CHOICE, toolsets: ["codex"], tools: ["spawn_agent", "kill_agent"] } },
  },
  {
    args: "",
    env: {
      CODEX_AGENT_CWD: "~/target",
      CODEX_AS_MCP_LOG_DIR: "logs",
      CODEX_TIMEOUT_SECONDS: "90.5",
      CODEX_MODEL: "gpt-5.2-codex",
      CODEX_REASONING_EFFORT: "high",
    },
    changes: {
      agents: {
        cwd: "/home/u/target",
        logDir: "/place/logs",
        timeoutMs: 90_500,
        model: "gpt-5.2-codex",
        reasoningEffort: "high",
      },
    },
  },
  {
    args: "--task-timeout 45m",
    env: { CODEX_AGENT_CWD: "", CODEX_TIMEOUT_SECONDS: "0", CODEX_MODEL: "" },
    changes: {
      taskTimeoutMs: 2_700_000,
      agents: { ...AGENTS, timeoutMs: 2_700_000 },
      warnings: [
        'Ignored CODEX_TIMEOUT_SECONDS="0": expected seconds, more than 0; using --task-timeout.',
      ],
    },
  },
  ...["2073601", "9999999", "99999999999999999999", "1e9", "inf", "Infinity"].map((seconds): Row => ({
    args: "",
    env: { CODEX_TIMEOUT_SECONDS: seconds },
    changes: {
      agents: { ...AGENTS, timeoutMs: 2_073_600_000 },
      warnings: [`CODEX_TIMEOUT_SECONDS="${seconds}" is more than a run may take: using 2073600.`],
    },
  })),
  ...["-1", "nan", "soon", "1e-9", "-inf"].map((seconds): Row => ({
    args: "",
    env: { CODEX_TIMEOUT_SECONDS: seconds },
    changes: {
      warnings: [`Ignored CODEX_TIMEOUT_SECONDS="${seconds}": expected seconds, more than 0; using --task-timeout.`],
    },
  })),
  { args: "", env: { CODEX_TIMEOUT_SECONDS: "2e3" }, changes: { agents: { ...AGENTS, timeoutMs: 2_000_000 } } },
  {
    args: "--state-dir /s",
    env: { HOME: "", CODEX_HOME: "/c" },
    changes: {
      codexHome: "/c",
      home: "/",
      stateDir: "/s",
      tasksDir: "/s/tasks",
      worktreesDir: "/s/worktrees",
      logFile: "/s/logs/codex-swarm.log",
      agents: { ...AGENTS, logDir: "/s/logs/agents" },
    },
  },
  {
    args: "--max-sandbox workspace-write --root a/../b --root=/c --root ~",
    env: { CODEX_SWARM_ROOT: "/d" },
    changes: { limits: { maxSandbox: "workspace-write", roots: ["/place/b", "/c", "/home/u"] } },
  },
  {
    args: "",
    env: { CODEX_SWARM_MAX_SANDBOX: "read-only", CODEX_SWARM_ROOT: "/a b::~/c" },
    changes: { limits: { maxSandbox: "read-only", roots: ["/a b", "/home/u/c"] } },
  },
  { args: "--max-depth 2", env: { CODEX_SWARM_DEPTH: "1" }, changes: { maxDepth: 2, depth: 1 } },
  {
    args: "",
    env: { CODEX_SWARM_DEPTH: "none", CODEX_SWARM_TASK_ID: "0a1b2c3d" },
    changes: {
      depth: 1,
      warnings: ['Cannot read CODEX_SWARM_DEPTH="none": taken for 1, one agent above this server.'],
    },
  },
  { args: "--log-level debug", env: { CODEX_SWARM_LOG_LEVEL: "ERROR" }, changes: { logLevel: "DEBUG" } },
  { args: "", env: { CODEX_SWARM_LOG_LEVEL: "critical" }, changes: { logLevel: "ERROR" } },
  {
    args: "--state-dir state",
    env: { CODEX_SWARM_STATE_DIR: "/other" },
    changes: {
      stateDir: "/place/state",
      tasksDir: "/place/state/tasks",
      worktreesDir: "/place/state/worktrees",
      logFile: "/place/state/logs/codex-swarm.log",
    },
  },
  {
    args: "",
    env: {
      CODEX_SWARM_LOG: "~/swarm.log",
      CODEX_SWARM_TASK_DIR: "/tmp/tasks",
      CODEX_SWARM_WORKTREE_DIR: "trees",
      CODEX_SWARM_TASK_MAX_AGE: "86400",
      CODEX_SWARM_MIN_WAIT: "0",
    },
    changes: {
      tasksDir: "/tmp/tasks",
      worktreesDir: "/place/trees",
      logFile: "/home/u/swarm.log",
      minWaitMs: 0,
      taskMaxAgeMs: 86_400_000,
    },
  },
  {
    args: "",
    env: { CODEX_SWARM_LOG_LEVEL: "LOUD", CODEX_SWARM_TASK_MAX_AGE: "-1", CODEX_SWARM_MIN_WAIT: "soon" },
    changes: {
      warnings: [
        'Ignored CODEX_SWARM_LOG_LEVEL="LOUD": expected DEBUG, INFO, WARNING, ERROR; using WARNING.',
        'Ignored CODEX_SWARM_MIN_WAIT="soon": expected seconds or a number with s, m, h or d, such as 90s, 30m, 8h, ' +
        "2d; using 150s.",
        'Ignored CODEX_SWARM_TASK_MAX_AGE="-1": expected seconds or a number with s, m, h or d, such as 90s, 30m, 8h, ' +
        "2d; using 14d.",
      ],
    },
  },
  {
    args: "",
    env: { CODEX_SWARM_MAX_CONCURENT: "8", CODEX_SWARM_COLOUR_OF_LOGS: "red" },
    changes: {
      warnings: [
        "Ignored the unknown variable CODEX_SWARM_MAX_CONCURENT: did you mean CODEX_SWARM_MAX_CONCURRENT?",
        "Ignored the unknown variable CODEX_SWARM_COLOUR_OF_LOGS.",
      ],
    },
  },
  { args: "--help --max-concurrent none --bogus run", changes: information("help") },
  { args: "help --max-concurrent none", changes: information("help") },
  { args: "-V", env: { CODEX_SWARM_EPHEMERAL: "maybe" }, changes: information("version") },
];

/** Help and version take no setting, so that none can be wrong. */
function information(command: "help" | "version"): Partial<Config> {
  const agents = { ...AGENTS, logDir: "" };
  const places = { codexHome: "", home: "/", stateDir: "", tasksDir: "", worktreesDir: "", logFile: "", agents };
  return { command, ...places };
}

for (const row of table) {
  const variables = Object.entries(row.env ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  Deno.test(`parseConfig() reads ${[...variables, "codex-swarm", row.args].join(" ").trim()}`, () => {
    const config = parse(
      row.args.split(" ").filter((arg) => arg !== ""),
      row.env === undefined ? {} : { env: row.env },
    );
    assert.deepEqual(changes(config), row.changes);
  });
}

const DURATIONS = "expected seconds or a number with s, m, h or d, such as 90s, 30m, 8h, 2d; more than 0, at most 24d";

const refusals: readonly (readonly [string, string, Readonly<Record<string, string>>?])[] = [
  ["--max-concurrent 0", 'Invalid --max-concurrent "0": expected a whole number from 1 to 1000'],
  ["--max-concurrent=-1", 'Invalid --max-concurrent "-1": expected a whole number from 1 to 1000'],
  ["", 'Invalid CODEX_SWARM_MAX_CONCURRENT "many": expected a whole number from 1 to 1000', {
    CODEX_SWARM_MAX_CONCURRENT: "many",
  }],
  ["--max-depth 0", 'Invalid --max-depth "0": expected a whole number from 1 to 10'],
  ["--task-timeout -5", `Invalid --task-timeout "-5": ${DURATIONS}`],
  ["--task-timeout 25d", `Invalid --task-timeout "25d": ${DURATIONS}`],
  ["--max-wait 5min", `Invalid --max-wait "5min": ${DURATIONS}`],
  ["", `Invalid CODEX_SWARM_OFFLINE_TIMEOUT "0": ${DURATIONS}`, { CODEX_SWARM_OFFLINE_TIMEOUT: "0" }],
  ["--orphan-grace soon", `Invalid --orphan-grace "soon": ${DURATIONS.replace("more than 0, ", "")}`],
  ["--stall-after 0", `Invalid --stall-after "0": ${DURATIONS}`],
  ["--retention 0", `Invalid --retention "0": ${DURATIONS.replace("24d", "3650d")}`],
  ["--retention 3651d", `Invalid --retention "3651d": ${DURATIONS.replace("24d", "3650d")}`],
  ["--on-exit die", 'Invalid --on-exit "die": expected stop or keep'],
  ["--stall-action kill", 'Invalid --stall-action "kill": expected report or stop'],
  ["", 'Invalid CODEX_SWARM_ON_USAGE_LIMIT "later": expected wait or fail', { CODEX_SWARM_ON_USAGE_LIMIT: "later" }],
  ["--tools ,", 'Invalid --tools ",": expected names separated by commas'],
  ["--read-only=maybe", 'Invalid --read-only "maybe": expected 1, true, yes, 0, false or no'],
  ["--max-sandbox none", 'Invalid --max-sandbox "none": expected read-only, workspace-write, danger-full-access'],
  ["--log-level LOUD", 'Invalid --log-level "LOUD": expected DEBUG, INFO, WARNING, ERROR'],
  ["--ephemeral=maybe", 'Invalid --ephemeral "maybe": expected 1, true, yes, 0, false or no'],
  ["", 'Invalid CODEX_SWARM_EPHEMERAL "on": expected 1, true, yes, 0, false or no', { CODEX_SWARM_EPHEMERAL: "on" }],
  ["--env sk-123", "Invalid --env: expected KEY=VALUE, KEY of letters, digits and underscores"],
  ["", 'Invalid CODEX_SWARM_ENV "A B=…": expected KEY=VALUE, KEY of letters, digits and underscores', {
    CODEX_SWARM_ENV: "A B=1",
  }],
  ["--env CODEX_SWARM_DEPTH=0", 'Invalid --env "CODEX_SWARM_DEPTH=…": codex-swarm sets CODEX_SWARM_DEPTH itself'],
  ["--codex", "--codex needs a value: --codex PATH"],
  ["--codex=", "--codex needs a value: --codex PATH"],
  ["--codex --ephemeral", '--codex needs a value, not "--ephemeral": --codex PATH'],
  ["--max-concurent 3", "Unknown flag --max-concurent; did you mean --max-concurrent?"],
  ["--verbose-output", "Unknown flag --verbose-output; codex-swarm --help lists all flags"],
  ["-z", "Unknown flag -z; codex-swarm --help lists all flags"],
  [
    "dcotor",
    'Unknown command "dcotor": expected mcp-server, doctor, install, uninstall, help, version; did you mean doctor?',
  ],
  ["run", 'Unknown command "run": expected mcp-server, doctor, install, uninstall, help, version'],
  ["doctor mcp-server", 'Two commands were given, "doctor" and "mcp-server": expected one'],
  ["install codex zed", 'install takes one client, not "codex" and "zed"'],
  ["uninstall codex doctor", 'uninstall takes one client, not "codex" and "doctor"'],
  [
    "install codex --no-token",
    "install does not take --no-token: add the server's own flags to the arguments in the client's file, where install " +
    "leaves them",
  ],
  [
    "install codex --http --no-token",
    "install does not take --no-token: give the server's own flags to the server that the client calls, where you start " +
    "it with codex-swarm --http",
  ],
  [
    "install codex -c a=1",
    "install does not take --config: add the server's own flags to the arguments in the client's file, where install " +
    "leaves them",
  ],
  ["--print", "--print is for install and uninstall: codex-swarm install CLIENT --print"],
  ["doctor --print", "--print is for install and uninstall: codex-swarm install CLIENT --print"],
  ["", "The home directory is unknown: set HOME, or --state-dir DIR and CODEX_HOME", { HOME: "" }],
  ["install codex", "The home directory is unknown: set HOME, or --state-dir DIR and CODEX_HOME", { HOME: "" }],
  ["--state-dir /s", "The home directory is unknown: set HOME, or CODEX_HOME", { HOME: "relative" }],
];

for (const [args, message, env] of refusals) {
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  Deno.test(`parseConfig() refuses ${[...variables, "codex-swarm", args].join(" ").trim()}`, () => {
    assert.equal(refusal(args.split(" ").filter((arg) => arg !== ""), env), message);
  });
}

const stateDirs: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["linux", { XDG_STATE_HOME: "/xdg" }, "/xdg/codex-swarm"],
  ["linux", { XDG_STATE_HOME: "relative" }, "/home/u/.local/state/codex-swarm"],
  ["darwin", {}, "/home/u/Library/Application Support/codex-swarm"],
  ["darwin", { XDG_STATE_HOME: "/xdg" }, "/xdg/codex-swarm"],
  ["windows", { USERPROFILE: "C:\\Users\\u" }, "C:\\Users\\u\\AppData\\Local\\codex-swarm"],
  ["windows", { USERPROFILE: "C:\\Users\\u", LOCALAPPDATA: "D:\\Local" }, "D:\\Local\\codex-swarm"],
  ["windows", { HOME: "", LOCALAPPDATA: "D:\\Local", CODEX_HOME: "D:\\codex" }, "D:\\Local\\codex-swarm"],
];

for (const [os, env, expected] of stateDirs) {
  Deno.test(`parseConfig() keeps state in ${expected} on ${os} with ${JSON.stringify(env)}`, () => {
    assert.equal(parse([], { os, env, cwd: os === "windows" ? "C:\\work" : "/place" }).stateDir, expected);
  });
}

Deno.test("parseConfig() splits roots at semicolons on Windows", () => {
  const env = { USERPROFILE: "C:\\Users\\u", CODEX_SWARM_ROOT: "C:\\a;~\\b;c" };
  const { limits } = parse([], { os: "windows", cwd: "C:\\work", env });
  assert.deepEqual(limits.roots, ["C:\\a", "C:\\Users\\u\\b", "C:\\work\\c"]);
});

Deno.test("parseConfig() lets doctor tell that the home directory is unknown", () => {
  const config = parse(["doctor"], { env: { HOME: "" } });
  assert.deepEqual([config.command, config.stateDir, config.warnings], ["doctor", "", [
    "The home directory is unknown: set HOME, or --state-dir DIR and CODEX_HOME.",
  ]]);
});

for (const { source, args, codexConfig, skipGitRepoCheck } of predecessors) {
  Deno.test(`parseConfig() takes the arguments of ${source}`, () => {
    const config = parse(args);
    assert.equal(config.command, "mcp-server");
    assert.deepEqual(config.codex, {
      config: codexConfig,
      skipGitRepoCheck,
      ephemeral: args.includes("--ephemeral"),
    });
    assert.ok(config.warnings.length > 0);
  });
}

Deno.test("parseConfig() names what it ignores of a predecessor", () => {
  assert.deepEqual(parse(["run", "python", "-m", "codex_as_mcp", "-m", "gpt-5.4"]).warnings, [
    'Ignored "-m gpt-5.4", a flag of Codex: use -c model=gpt-5.4.',
    'Ignored "run python -m codex_as_mcp", arguments of another program: they can be removed.',
  ]);
});

Deno.test("helpText() stays the same", async (t) => {
  await t.assertSnapshot(helpText("1.2.3"), { dir: "snapshots" });
});

Deno.test("helpText() is at most 100 columns wide and names every flag with its variable", () => {
  const help = helpText("1.2.3");
  assert.deepEqual(help.split("\n").filter((line) => line.length > 100), []);
  const names = flagEntries().flatMap((
    [name, { variable }],
  ) => [`--${name}`, ...(variable === undefined ? [] : [variable])]);
  assert.deepEqual(names.filter((name) => !help.includes(name)), []);
});
