/** The tools, in the order in which clients see them. */
import { codex } from "./codex.ts";
import { codexAsync } from "./codex_async.ts";
import { codexCancel } from "./codex_cancel.ts";
import { codexReply, codexReplyAlias } from "./codex_reply.ts";
import { codexStatus } from "./codex_status.ts";
import { codexWait } from "./codex_wait.ts";
import type { Tool } from "./tool.ts";

export const tools: readonly Tool[] = [
  codex,
  codexAsync,
  codexWait,
  codexStatus,
  codexCancel,
  codexReply,
  codexReplyAlias,
];
