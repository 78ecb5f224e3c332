import { join } from "node:path";
import type { FakeCodex } from "./fake_codex.ts";

/**
 * Puts lines of `sh` before each `exec` run of a fake Codex; `"$FAKE" "$@"` runs the fake itself. Gives what `startSwarm`
 * takes for a Codex.
 */
export async function wrapCodex(codex: FakeCodex, lines: string): Promise<Pick<FakeCodex, "path" | "home">> {
  const path = join(codex.directory, "codex_wrapped");
  const script = [
    "#!/bin/sh",
    `FAKE='${codex.path}'`,
    'case "$*" in',
    "*--json*)",
    lines,
    ";;",
    "esac",
    'exec "$FAKE" "$@"',
  ];
  await Deno.writeTextFile(path, `${script.join("\n")}\n`, { mode: 0o755 });
  return { path, home: codex.home };
}
