import assert from "node:assert/strict";
import { join } from "node:path";
import { FileWalks } from "../../src/supervisor/file_walks.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const NOW = new Date("2026-01-02T12:00:00Z");
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const IDS = ["young", "old", "other"];

for (
  const { what, changedAt, expected, walks } of [
    { what: "once where nothing has changed", changedAt: ago(60_000), expected: [false, false, false], walks: 1 },
    { what: "for each where something has", changedAt: ago(20_000), expected: [false, true, false], walks: 2 },
    { what: "for each where something has just now", changedAt: ago(1_000), expected: [true, true, true], walks: 2 },
  ]
) {
  Deno.test(`FileWalks looks through a directory that runs have in common ${what}`, async () => {
    await using temp = await tempDirectory();
    const cwd = join(temp.path, "cwd");
    await Deno.mkdir(cwd);
    await Deno.writeTextFile(join(cwd, "file"), "");
    await Deno.utime(join(cwd, "file"), changedAt, changedAt);
    const walksFile = join(temp.path, "walks");
    const PATH = Deno.env.get("PATH");
    const find = `#!/bin/sh\necho walk >>"${walksFile}"\nPATH="${PATH}" exec find "$@"\n`;
    writeExecutable(join(temp.path, "find"), find);
    const fileWalks = new FileWalks({ now: () => NOW, env: { PATH: `${temp.path}:${PATH}` }, everyMs: 1_000 });
    // Two have been still for ten seconds, and one for half a minute.
    const tasks = IDS.map((id) => ({ id, cwd, stillSince: ago(id === "old" ? 30_000 : 10_000) }));
    fileWalks.start(tasks, NOW);
    await waitFor(() => IDS.every((id) => fileWalks.hasNews(id)), { message: "the walks" });
    assert.deepEqual(tasks.map(({ id, stillSince }) => fileWalks.found(id, stillSince)), expected);
    assert.equal((await Deno.readTextFile(walksFile)).split("\n").length - 1, walks);
  });
}
