/** What different MCP clients bear. All figures were measured or read in the shipped clients, as of November 2026. */

/** Limits of a client. */
export interface ClientLimits {
  /** Longest answer that reaches the model whole, in characters. */
  readonly answerChars: number;
  /** How long a call surely may take. */
  readonly waitMs: number;
}

/** Claude Code: 30 min without a message from the server end a call, over HTTP 5 min; progress is a message. */
const CLAUDE_CODE: ClientLimits = { answerChars: 40_000, waitMs: 1_500_000 };
const CLAUDE_CODE_HTTP: ClientLimits = { ...CLAUDE_CODE, waitMs: 240_000 };
/** Codex: 300 s by default, whatever progress says; about 12,000 characters, then the middle is cut. */
const CODEX: ClientLimits = { answerChars: 10_000, waitMs: 280_000 };
/** Claude Desktop and most SDK clients: 60 s. */
const OTHERS: ClientLimits = { answerChars: 20_000, waitMs: 50_000 };

/** Limits of the client that calls itself `name`; `maxWaitMs` overrides how long it may be kept waiting. */
export function clientLimits(
  name: string | undefined,
  { transport, maxWaitMs }: { readonly transport: "stdio" | "http"; readonly maxWaitMs: number | null },
): ClientLimits {
  const limits = known(name, transport);
  return maxWaitMs === null ? limits : { ...limits, waitMs: maxWaitMs };
}

function known(name: string | undefined, transport: "stdio" | "http"): ClientLimits {
  switch (name) {
    case "claude-code":
      return transport === "http" ? CLAUDE_CODE_HTTP : CLAUDE_CODE;
    case "codex-mcp-client":
      return CODEX;
    default:
      return OTHERS;
  }
}
