import assert from "node:assert/strict";
import { join } from "node:path";
import { createLog } from "../src/log.ts";
import { runFixture } from "./helpers/run_fixture.ts";
import { tempDirectory } from "./helpers/temp_directory.ts";

function linesOf(path: string): string[] {
  return Deno.readTextFileSync(path).split("\n").slice(0, -1);
}

Deno.test("a log file that is full is kept, and the one before it goes", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "logs", "swarm.log");
  const now = (): Date => new Date(0);
  const log = createLog({ level: "ERROR", file, maxFileBytes: 80, now });
  // 37 bytes each: the third one finds room for itself, the fourth does not.
  for (const number of [1, 2, 3, 4, 5, 6, 7]) log.error(`number`, { number });
  const line = (number: number): string => `1970-01-01T00:00:00.000Z ERROR number number=${number}`;
  assert.deepEqual(linesOf(file), [7].map(line));
  assert.deepEqual(linesOf(`${file}.1`), [5, 6].map(line));
  assert.deepEqual(Array.from(Deno.readDirSync(join(temp.path, "logs")), ({ name }) => name).sort(), [
    "swarm.log",
    "swarm.log.1",
  ]);
  if (Deno.build.os !== "windows") assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
});

Deno.test("servers that share a full log file put it aside once, and lose no line", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "swarm.log");
  // "1970-01-01T00:00:00.000Z INFO a-1234\n": some 35 bytes each, so that it is full once.
  const args = (name: string): string[] => ["log", file, name, "1500", "60000"];
  await Promise.all(["a", "b"].map((name) => runFixture("storage_writer.ts", args(name))));
  const lines = [...linesOf(`${file}.1`), ...linesOf(file)].map((line) => line.split(" ").at(-1));
  const wanted = ["a", "b"].flatMap((name) => Array.from({ length: 1_500 }, (_, number) => `${name}-${number}`));
  assert.deepEqual(lines.sort(), wanted.sort());
});
