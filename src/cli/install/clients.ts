/** Every client that can be installed into. */
import { claudeCode } from "./claude_code.ts";
import { claudeDesktop } from "./claude_desktop.ts";
import type { Client } from "./client.ts";
import { codex } from "./codex.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";
import { goose } from "./goose.ts";
import { opencode } from "./opencode.ts";
import { vscode } from "./vscode.ts";
import { windsurf } from "./windsurf.ts";
import { zed } from "./zed.ts";

/** First those whose files are written. */
export const clients: readonly Client[] = [
  ...[claudeCode, codex, cursor, vscode],
  ...[claudeDesktop, windsurf, zed, gemini, goose, opencode],
];

/** Every word that names a client. */
export const clientNames: ReadonlyMap<string, Client> = new Map(
  clients.flatMap((client) => [client.name, ...client.aliases ?? []].map((name) => [name, client] as const)),
);
