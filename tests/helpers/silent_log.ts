import type { Log } from "../../src/log.ts";

/** A log that nobody reads. */
export const SILENT: Log = { debug: ignore, info: ignore, warning: ignore, error: ignore };

function ignore(): void {}
