import { tools } from "../../src/tools/mod.ts";
import { PLATFORMS, REPOSITORY, type Target } from "../scripts/release_names.ts";
import { DESCRIPTION, TITLE } from "./about.ts";
import { OPTIONS } from "./options.ts";

/** Of the format. 0.4 is for servers in Python. */
const MANIFEST_VERSION = "0.3";

const SYSTEMS = { linux: "linux", macos: "darwin", windows: "win32" } as const;

/** A bundle's name: `codex-swarm-1.2.3-linux-x64.mcpb`. */
export function mcpbName(version: string, target: Target): string {
  return `codex-swarm-${version}-${target}.mcpb`;
}

/** Where the program lies in a bundle. */
export function mcpbProgram(target: Target): string {
  return `server/${PLATFORMS[target].program}`;
}

/** Gives the manifest of a bundle with the program for one platform. */
export function mcpbManifest(version: string, target: Target): Record<string, unknown> {
  const [system] = target.split("-");
  const platform = Object.entries(SYSTEMS).flatMap(([name, platform]) => name === system ? [platform] : []);
  return {
    manifest_version: MANIFEST_VERSION,
    name: "codex-swarm",
    display_name: TITLE,
    version,
    description: DESCRIPTION,
    author: { name: "The codex-swarm maintainers", url: REPOSITORY },
    repository: { type: "git", url: `${REPOSITORY}.git` },
    homepage: REPOSITORY,
    support: `${REPOSITORY}/issues`,
    license: "MIT",
    keywords: ["codex", "agents", "worktree"],
    server: {
      type: "binary",
      entry_point: mcpbProgram(target),
      mcp_config: {
        command: `\${__dirname}/${mcpbProgram(target)}`,
        args: [],
        env: Object.fromEntries(OPTIONS.map(({ flag, variable }) => [variable, `\${user_config.${keyOf(flag)}}`])),
      },
    },
    tools: tools.map(({ name, description }) => ({ name, description })),
    prompts_generated: true,
    compatibility: { platforms: platform },
    user_config: Object.fromEntries(OPTIONS.map(({ flag, title, description, kind, preset }) => [keyOf(flag), {
      type: kind,
      title,
      description,
      default: preset,
      required: false,
      ...(kind === "number" ? { min: 1 } : {}),
    }])),
  };
}

function keyOf(flag: string): string {
  return flag.replaceAll("-", "_");
}
