import assert from "node:assert/strict";
import { isSecretName, maskConfigValue, secretVariables } from "../../src/task/secret_names.ts";

Deno.test("isSecretName() knows names that stand for secrets", () => {
  for (const name of ["OPENAI_API_KEY", "github_token", "ClientSecret", "DB_PASSWORD", "http_headers.Authorization"]) {
    assert.equal(isSecretName(name), true, name);
  }
  for (const name of ["PATH", "HOME", "LANG", "model", "CODEX_HOME", "EDITOR"]) {
    assert.equal(isSecretName(name), false, name);
  }
});

Deno.test("secretVariables() leaves out those that were given on purpose", () => {
  const env = { PATH: "/bin", NPM_TOKEN: "1", API_KEY: "2", MY_SECRET: "3" };
  assert.deepEqual(secretVariables(env, new Set()), ["API_KEY", "MY_SECRET", "NPM_TOKEN"]);
  assert.deepEqual(secretVariables(env, new Set(["API_KEY", "PATH"])), ["MY_SECRET", "NPM_TOKEN"]);
});

const SETTINGS: readonly { readonly setting: string; readonly shown: string }[] = [
  { setting: 'model="gpt-6"', shown: 'model="gpt-6"' },
  { setting: "no equals sign", shown: "no equals sign" },
  { setting: 'model_providers.x.env_key="X_API"', shown: 'model_providers.x.env_key="X_API"' },
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
