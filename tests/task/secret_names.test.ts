import assert from "node:assert/strict";
import { isSecretName, maskConfigValue, secretVariables } from "../../src/task/secret_names.ts";

Deno.test("isSecretName() knows names that stand for secrets", () => {
  const secret = ["OPENAI_API_KEY", "github_token", "ClientSecret", "DB_PASSWORD", "http_headers.Authorization"];
  for (const name of [...secret, "DB_PASS", "PASS", "GH_PAT", "PAT_GITHUB", "npm_config__auth", "AUTH_BASIC"]) {
    assert.equal(isSecretName(name), true, name);
  }
  const plain = ["PATH", "HOME", "LANG", "model", "CODEX_HOME", "EDITOR", "XKB_KEYBOARD", "PATTERN", "GIT_AUTHOR_NAME"];
  for (const name of [...plain, "COMPASS", "PASSIVE_MODE", "SSH_AUTH_SOCK", "XAUTHORITY", "CODEX_SWARM_LOG"]) {
    assert.equal(isSecretName(name), false, name);
  }
});

Deno.test("secretVariables() leaves out those that were given on purpose", () => {
  const env = { PATH: "/bin", NPM_TOKEN: "1", API_KEY: "2", MY_SECRET: "3" };
  assert.deepEqual(secretVariables(env, new Set()), ["API_KEY", "MY_SECRET", "NPM_TOKEN"]);
  assert.deepEqual(secretVariables(env, new Set(["API_KEY", "PATH"])), ["MY_SECRET", "NPM_TOKEN"]);
});

Deno.test("secretVariables() holds back what this server itself was told in variables", () => {
  const env = { CODEX_SWARM_CONFIG: 'x.api="1"', CODEX_SWARM_ENV: "DB=1", CODEX_SWARM_DEPTH: "1" };
  assert.deepEqual(secretVariables(env, new Set()), ["CODEX_SWARM_CONFIG", "CODEX_SWARM_ENV"]);
});

const SETTINGS: readonly { readonly setting: string; readonly shown: string }[] = [
  { setting: 'model="gpt-6"', shown: 'model="gpt-6"' },
  { setting: "no equals sign", shown: "no equals sign" },
  { setting: 'model_providers.x.env_key="X_API"', shown: 'model_providers.x.env_key="X_API"' },
  {
    setting: "model_providers.x.requires_openai_auth=true",
    shown: "model_providers.x.requires_openai_auth=true",
  },
  { setting: 'mcp_servers.x.env={DB_PASS="1"}', shown: "mcp_servers.x.env=***" },
  {
    setting: 'model_providers.x.experimental_bearer_token="t"',
    shown: "model_providers.x.experimental_bearer_token=***",
  },
  { setting: 'mcp_servers.x.env.API_KEY="1=2"', shown: "mcp_servers.x.env.API_KEY=***" },
  { setting: 'mcp_servers.x.env={API_KEY="1"}', shown: "mcp_servers.x.env=***" },
  { setting: 'mcp_servers.x.args=["sk-abc"]', shown: "mcp_servers.x.args=***" },
  { setting: 'mcp_servers.x.args=["--risk-level"]', shown: 'mcp_servers.x.args=["--risk-level"]' },
  { setting: 'x.header="Bearer abc"', shown: "x.header=***" },
];

Deno.test("maskConfigValue() masks values that look like secrets", () => {
  for (const { setting, shown } of SETTINGS) assert.equal(maskConfigValue(setting), shown);
});
