/** Every command. */
export const COMMANDS = {
  "mcp-server": "Serves MCP on stdin and stdout; the default",
  "doctor": "Shows what was found on this machine and how to fix what is missing; exit code 1 if no agent can start",
  "help": "Shows this text",
  "version": "Shows the version",
} as const;
export type CommandName = keyof typeof COMMANDS;
