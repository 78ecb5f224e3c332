/** Every command. */
export const COMMANDS = {
  "mcp-server": "Serves MCP on stdin and stdout; the default",
  "doctor": "Shows what was found on this machine and how to fix what is missing; exit code 1 if no agent can start",
  "install": "Puts the server into the configuration of a client, or shows what to put there: install CLIENT",
  "uninstall": "Takes it out again: uninstall CLIENT",
  "help": "Shows this text",
  "version": "Shows the version",
} as const;
export type CommandName = keyof typeof COMMANDS;

/** Commands that are about a client, named behind them. */
export const CLIENT_COMMANDS: ReadonlySet<CommandName> = new Set(["install", "uninstall"]);
