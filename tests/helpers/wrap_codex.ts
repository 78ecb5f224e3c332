import { join } from "node:path";
import { writeExecutable } from "./executable.ts";
import type { FakeCodex } from "./fake_codex.ts";

/**
 * Puts lines of `sh` before each `exec` run of a fake Codex; `"$FAKE" "$@"` runs the fake itself. Gives what `startSwarm`
 * takes for a Codex.
 */
export function wrapCodex(codex: FakeCodex, lines: string): Pick<FakeCodex, "path" | "home"> {
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
  writeExecutable(path, `${script.join("\n")}\n`);
  return { path, home: codex.home };
}
