import { downloadUrl, REPOSITORY, type Target, TARGETS } from "../scripts/release_names.ts";
import { DESCRIPTION, REGISTRY_NAME, TITLE } from "./about.ts";
import { mcpbName } from "./mcpb.ts";
import { OPTIONS } from "./options.ts";
import { sumOf } from "./read_sums.ts";

const SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/** Gives `server.json` of the MCP registry: one bundle for each platform. Throws where a sum is missing. */
export function registryEntry(version: string, sums: ReadonlyMap<string, string>): Record<string, unknown> {
  return {
    $schema: SCHEMA,
    name: REGISTRY_NAME,
    title: TITLE,
    description: DESCRIPTION,
    version,
    repository: { url: REPOSITORY, source: "github" },
    websiteUrl: REPOSITORY,
    packages: TARGETS.map((target) => bundle(version, sums, target)),
  };
}

function bundle(version: string, sums: ReadonlyMap<string, string>, target: Target): Record<string, unknown> {
  const name = mcpbName(version, target);
  return {
    registryType: "mcpb",
    identifier: downloadUrl(version, name),
    version,
    fileSha256: sumOf(sums, name),
    transport: { type: "stdio" },
    environmentVariables: OPTIONS.map(({ variable, description, kind, preset, choices }) => ({
      name: variable,
      description,
      format: kind,
      isRequired: false,
      ...(preset === "" ? {} : { default: String(preset) }),
      ...(choices === undefined ? {} : { choices }),
    })),
  };
}
