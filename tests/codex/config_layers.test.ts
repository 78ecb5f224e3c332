import assert from "node:assert/strict";
import {
  type CodexConfigFacts,
  type ConfigLayer,
  decideConfig,
  parseConfig,
  parseOverrides,
  trustOf,
} from "../../src/codex/config_layers.ts";
import type { EffectiveSandbox } from "../../src/task/spec.ts";

function layer(source: ConfigLayer["source"], text: string): ConfigLayer {
  return { source, values: parseConfig(text) };
}

const overrides: readonly (readonly [override: string, values: unknown])[] = [
  ['model="o3"', { model: "o3" }],
  ["model=o3", { model: "o3" }],
  [" a.b = 42 ", { a: { b: 42 } }],
  ["list=[1,2]", { list: [1, 2] }],
  ["text=a = b # c", { text: "a = b # c" }],
  ["text='broken", { text: "broken" }],
  ['table={"a.b"={x=1}}', { table: { "a.b": { x: 1 } } }],
  ['mcp_servers."a.b".x=1', { mcp_servers: { '"a': { 'b"': { x: 1 } } } }],
  ["nothing", {}],
];

for (const [override, values] of overrides) {
  Deno.test(`parseOverrides() reads ${override}`, () => {
    assert.deepEqual(JSON.parse(JSON.stringify(parseOverrides([override]))), values);
  });
}

Deno.test("parseOverrides() lets the last value of a key win and keeps its neighbours", () => {
  assert.deepEqual(parseOverrides(["a.x=1", "a.y=2", "a.x=3"]), { a: { x: 3, y: 2 } });
});

interface Row {
  readonly name: string;
  readonly layers: readonly ConfigLayer[];
  readonly trust?: CodexConfigFacts["trust"];
  readonly sandbox: EffectiveSandbox;
  readonly notes?: number;
}

const table: readonly Row[] = [
  { name: "nothing", layers: [], sandbox: { mode: "read-only", source: "Codex default", network: false } },
  {
    name: "a trusted project",
    layers: [],
    trust: "trusted",
    sandbox: { mode: "workspace-write", source: "trusted project", network: false },
  },
  {
    name: "an untrusted project, whose default is to write too",
    layers: [],
    trust: "untrusted",
    sandbox: { mode: "workspace-write", source: "trusted project", network: false },
  },
  {
    name: "network in a trusted project",
    layers: [layer("config.toml", "[sandbox_workspace_write]\nnetwork_access = true")],
    trust: "trusted",
    sandbox: { mode: "workspace-write", source: "trusted project", network: true },
  },
  {
    name: "the strongest layer",
    layers: [
      layer("config.toml", 'sandbox_mode = "read-only"'),
      layer("profile", 'sandbox_mode = "workspace-write"'),
      layer("server config", 'sandbox_mode = "danger-full-access"'),
    ],
    sandbox: { mode: "danger-full-access", source: "server config", network: true },
  },
  {
    name: "a stronger mode over a permission profile",
    layers: [
      layer("config.toml", 'default_permissions = ":danger-full-access"'),
      layer("profile", 'sandbox_mode = "read-only"'),
    ],
    sandbox: { mode: "read-only", source: "profile", network: false },
  },
  {
    name: "a stronger permission profile over a mode",
    layers: [
      layer("config.toml", 'sandbox_mode = "danger-full-access"'),
      layer("call config", 'default_permissions = ":read-only"'),
    ],
    sandbox: { mode: "read-only", source: "call config", network: false },
  },
  {
    name: "a permission profile beside a mode, which knows no sandbox_workspace_write",
    layers: [
      layer(
        "config.toml",
        'sandbox_mode = "read-only"\ndefault_permissions = ":workspace"\n[sandbox_workspace_write]\nnetwork_access = true',
      ),
    ],
    sandbox: { mode: "workspace-write", source: "config.toml", network: false },
  },
  {
    name: "an own permission profile, which counts as unlimited",
    layers: [layer("config.toml", 'default_permissions = "mine"')],
    sandbox: { mode: "danger-full-access", source: "config.toml", network: null },
    notes: 1,
  },
  {
    name: "an unknown mode",
    layers: [layer("config.toml", 'sandbox_mode = "yolo"')],
    sandbox: { mode: "read-only", source: "Codex default", network: false },
    notes: 1,
  },
];

for (const { name, layers, trust, sandbox, notes } of table) {
  Deno.test(`decideConfig() finds the sandbox of ${name}`, () => {
    const facts = decideConfig(layers, { trust: trust ?? null, notes: [] });
    assert.deepEqual(facts.sandbox, sandbox);
    assert.equal(facts.notes.length, notes ?? 0);
  });
}

Deno.test("decideConfig() merges tables over the layers", () => {
  const facts = decideConfig([
    layer(
      "config.toml",
      `model = "a"
model_reasoning_effort = "low"
[mcp_servers.one]
command = "npx"
args = ["-y", "one"]
[mcp_servers."t.w.o"]
url = "https://example.com/mcp"
[sandbox_workspace_write]
writable_roots = ["/w"]
[shell_environment_policy]
inherit = "core"`,
    ),
    layer("server config", 'model = "b"\nmcp_servers.one.enabled = false'),
  ], { trust: null, notes: ["before"] });
  assert.deepEqual(facts, {
    sandbox: { mode: "read-only", source: "Codex default", network: false },
    networkAccess: null,
    writableRoots: ["/w"],
    trust: null,
    mcpServers: [
      { name: "one", command: "npx", args: ["-y", "one"], url: null, isEnabled: false },
      { name: "t.w.o", command: null, args: [], url: "https://example.com/mcp", isEnabled: true },
    ],
    hasShellEnvironmentPolicy: true,
    model: "b",
    reasoningEffort: "low",
    notes: ["before"],
  });
});

Deno.test("trustOf() looks at the given places only, the first one first", () => {
  const layers = [
    layer("config.toml", '[projects."/r"]\ntrust_level = "trusted"\n[projects."/r/sub"]\ntrust_level = "untrusted"'),
  ];
  assert.equal(trustOf(layers, ["/r/sub", "/r"]), "untrusted");
  assert.equal(trustOf(layers, ["/r/other", "/r"]), "trusted");
  assert.equal(trustOf(layers, ["/r/other"]), null);
});
