/** What Codex makes of its layers of configuration. Pure; the precedence was seen with 0.169. */
import { parse } from "smol-toml";
import { type EffectiveSandbox, SANDBOX_MODES, type SandboxMode } from "../task/spec.ts";
import { booleanAt, isObject, type JsonObject, objectAt, textAt, textsAt } from "./json_object.ts";

/** One source of settings, parsed. */
export interface ConfigLayer {
  readonly source: EffectiveSandbox["source"];
  readonly values: JsonObject;
}

/** An MCP server that Codex would start for an agent. */
export interface ConfiguredMcpServer {
  readonly name: string;
  /** `null` for one that is reached by `url`. */
  readonly command: string | null;
  readonly args: readonly string[];
  readonly url: string | null;
  readonly isEnabled: boolean;
}

/** What the user's configuration says, for a run that passes no sandbox of its own. */
export interface CodexConfigFacts {
  readonly sandbox: EffectiveSandbox;
  /** `sandbox_workspace_write.network_access`, which counts for a sandbox that the call names too; `null` when unset. */
  readonly networkAccess: boolean | null;
  /** `sandbox_workspace_write.writable_roots`. */
  readonly writableRoots: readonly string[];
  /** What the user decided about the project; `null` when nothing. */
  readonly trust: "trusted" | "untrusted" | null;
  readonly mcpServers: readonly ConfiguredMcpServer[];
  readonly hasShellEnvironmentPolicy: boolean;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
  /** What could not be read or understood, one sentence each. */
  readonly notes: readonly string[];
}

/** Reads a TOML file's text. Throws what the parser says. */
export function parseConfig(text: string): JsonObject {
  return parse(text, { integersAsBigInt: "asNeeded" });
}

/** Reads `-c key=value` strings as Codex does: split at the first `=`, keys at every dot, a value that is no TOML is a string. */
export function parseOverrides(overrides: readonly string[]): JsonObject {
  let values: JsonObject = {};
  for (const override of overrides) {
    const at = override.indexOf("=");
    if (at < 0) continue;
    const path = override.slice(0, at).trim().split(".");
    values = setAt(values, path, parseOverrideValue(override.slice(at + 1).trim()));
  }
  return values;
}

function parseOverrideValue(text: string): unknown {
  try {
    return parseConfig(`value = ${text}`)["value"];
  } catch {
    return text.replace(/^["']+|["']+$/g, "");
  }
}

function setAt(table: JsonObject, [key = "", ...rest]: readonly string[], value: unknown): JsonObject {
  if (rest.length === 0) return { ...table, [key]: value };
  return { ...table, [key]: setAt(objectAt(table, key), rest, value) };
}

/** Finds `[profiles.NAME]` or the one that `profile = "NAME"` selects, as Codex had them before `NAME.config.toml`; newer ones refuse to start. */
export function oldProfile(config: JsonObject, name: string | undefined): ConfigLayer | null {
  const selected = name ?? textAt(config, "profile");
  if (selected === null) return null;
  const values = objectAt(objectAt(config, "profiles"), selected);
  return Object.keys(values).length === 0 ? null : { source: "profile", values };
}

/** What the user decided about a project: the directory itself counts before the top of its repository; parents do not. */
export function trustOf(layers: readonly ConfigLayer[], places: readonly string[]): "trusted" | "untrusted" | null {
  const projects = objectAt(merge(layers), "projects");
  for (const place of places) {
    const level = objectAt(projects, place)["trust_level"];
    if (level === "trusted" || level === "untrusted") return level;
  }
  return null;
}

/** Decides what the layers come to, the weakest first. */
export function decideConfig(
  layers: readonly ConfigLayer[],
  options: { readonly trust: "trusted" | "untrusted" | null; readonly notes: readonly string[] },
): CodexConfigFacts {
  const values = merge(layers);
  const workspaceWrite = objectAt(values, "sandbox_workspace_write");
  const networkAccess = booleanAt(workspaceWrite, "network_access");
  const notes = [...options.notes];
  return {
    sandbox: decideSandbox(layers, { trust: options.trust, networkAccess, notes }),
    networkAccess,
    writableRoots: textsAt(workspaceWrite, "writable_roots"),
    trust: options.trust,
    mcpServers: Object.entries(objectAt(values, "mcp_servers")).filter(isServerEntry).map(describeServer),
    hasShellEnvironmentPolicy: Object.keys(objectAt(values, "shell_environment_policy")).length > 0,
    model: textAt(values, "model"),
    reasoningEffort: textAt(values, "model_reasoning_effort"),
    notes,
  };
}

interface SandboxContext {
  readonly trust: "trusted" | "untrusted" | null;
  readonly networkAccess: boolean | null;
  /** Gets a sentence when something is not understood. */
  readonly notes: string[];
}

/** The strongest layer that says anything decides; within one, `default_permissions` counts before `sandbox_mode`. */
function decideSandbox(layers: readonly ConfigLayer[], context: SandboxContext): EffectiveSandbox {
  for (const { source, values } of layers.toReversed()) {
    const permissions = textAt(values, "default_permissions");
    if (permissions !== null) return fromPermissions(permissions, source, context.notes);
    const mode = textAt(values, "sandbox_mode");
    if (mode === null) continue;
    const known = SANDBOX_MODES.find((name) => name === mode);
    if (known !== undefined) return { mode: known, source, network: networkOf(known, context.networkAccess) };
    context.notes.push(`Codex knows no sandbox_mode "${mode}".`);
  }
  // Any decision about the project, "untrusted" too, lifts the default; on Windows Codex keeps to reading.
  if (context.trust === null) return { mode: "read-only", source: "Codex default", network: false };
  const network = networkOf("workspace-write", context.networkAccess);
  return { mode: "workspace-write", source: "trusted project", network };
}

/** `sandbox_workspace_write` has no say beside a permission profile. */
function fromPermissions(name: string, source: ConfigLayer["source"], notes: string[]): EffectiveSandbox {
  const mode = builtInPermissions(name);
  if (mode !== null) return { mode, source, network: networkOf(mode, null) };
  notes.push(
    `The permission profile "${name}" decides what the agent may do; its limits are not known here, so it counts as danger-full-access.`,
  );
  return { mode: "danger-full-access", source, network: null };
}

/** Returns the sandbox mode of one of Codex's own permission profiles. */
export function builtInPermissions(name: string): SandboxMode | null {
  switch (name) {
    case ":read-only":
      return "read-only";
    case ":workspace":
      return "workspace-write";
    case ":danger-full-access":
      return "danger-full-access";
    default:
      return null;
  }
}

/** Tells whether a sandbox reaches the network; `networkAccess` is `sandbox_workspace_write.network_access`. */
export function networkOf(mode: SandboxMode, networkAccess: boolean | null): boolean {
  switch (mode) {
    case "read-only":
      return false;
    case "workspace-write":
      return networkAccess ?? false;
    case "danger-full-access":
      return true;
  }
}

function describeServer([name, server]: [string, JsonObject]): ConfiguredMcpServer {
  return {
    name,
    command: textAt(server, "command"),
    args: textsAt(server, "args"),
    url: textAt(server, "url"),
    isEnabled: server["enabled"] !== false,
  };
}

function isServerEntry(entry: [string, unknown]): entry is [string, JsonObject] {
  return isObject(entry[1]);
}

function merge(layers: readonly ConfigLayer[]): JsonObject {
  return layers.reduce((merged: JsonObject, layer) => mergeTables(merged, layer.values), {});
}

function mergeTables(weak: JsonObject, strong: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...weak };
  for (const [key, value] of Object.entries(strong)) {
    const before = merged[key];
    merged[key] = isObject(before) && isObject(value) ? mergeTables(before, value) : value;
  }
  return merged;
}
