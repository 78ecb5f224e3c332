import type { TaskSpec } from "../../src/task/spec.ts";

/** What is asked for by a call that asks for nothing particular. */
export const SPEC: TaskSpec = {
  cwd: "/repo",
  addDirs: [],
  config: {},
  images: [],
  envNames: [],
  timeoutMs: 1_000,
  codexHome: "",
  account: "",
  lifetime: "detached",
  effectiveSandbox: { mode: "read-only", source: "Codex default", network: null },
  server: {
    config: [],
    skipGitRepoCheck: false,
    ephemeral: false,
    envNames: [],
    withheldEnv: [],
    hasEnvPolicy: false,
    disabledMcpServers: [],
    cwd: "",
  },
  notes: [],
  usageBefore: null,
};
