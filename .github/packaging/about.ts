import { REPOSITORY } from "../scripts/release_names.ts";

/** What the program is, in the one line that package managers and registries show; 80 characters at most. */
export const DESCRIPTION = "MCP server that runs, watches and merges the work of many Codex agents";

/** What a client shows as its name. */
export const TITLE = "codex-swarm";

/** The server's name in the MCP registry: the reverse of a GitHub owner's domain, and the repository. */
export const REGISTRY_NAME = REPOSITORY.replace("https://github.com/", "io.github.");
