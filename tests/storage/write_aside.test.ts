import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeAside } from "../../src/storage/write_aside.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const WRITE_LOOP = fileURLToPath(new URL("../fixtures/write_loop.ts", import.meta.url));

Deno.test("writeAside() replaces a file that only its owner may read", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "task.json");
  await writeAside(path, "old");
  await writeAside(path, "new");
  assert.equal(Deno.readTextFileSync(path), "new");
  if (Deno.build.os !== "windows") assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path), ({ name }) => name), ["task.json"]);
});

Deno.test("F5: writeAside() has flushed a file before it gets its name", async () => {
  await using temp = await tempDirectory();
  const steps = ["op_write_sync", "op_fs_file_sync_async", "op_fs_rename_sync"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", `--trace-ops=${steps}`, "--allow-write", "--allow-read", WRITE_LOOP, join(temp.path, "file"), "2"],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const ended = [...text.matchAll(/ (op_\w+) *: Completed/g)].map(([, name]) => name);
  assert.deepEqual(ended, [...steps, ...steps]);
});

Deno.test("writeAside() leaves nothing behind when it fails", async () => {
  await using temp = await tempDirectory();
  // Nothing can be renamed over a directory.
  const path = join(temp.path, "task.json");
  Deno.mkdirSync(path);
  await assert.rejects(writeAside(path, "new"));
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path), ({ name }) => name), ["task.json"]);
});

Deno.test("a file that writeAside() replaces is whole at any time, though its writer is killed again and again", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "task.json");
  await writeAside(path, "1:x");
  const seen = new Set<string>();
  const readWhole = (): string => {
    const text = Deno.readTextFileSync(path);
    const [length = "", content = ""] = text.split(":");
    assert.equal(content.length, Number(length), "a reader saw half of a file");
    seen.add(length);
    return length;
  };
  for (let kill = 0; kill < 6; kill++) {
    const before = readWhole();
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-write", "--allow-read", WRITE_LOOP, path],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await waitFor(() => readWhole() !== before, { message: "the writer to write" });
    for (let look = 0; look < 200 * (kill + 1); look++) readWhole();
    // However slow the writer is: each kill comes after at least two more of its writes were seen.
    const enough = seen.size + 2;
    await waitFor(() => readWhole() !== before && seen.size >= enough, { message: "the writer to write on" });
    writer.kill("SIGKILL");
    await writer.status;
    readWhole();
  }
  assert.ok(seen.size > 6, `only ${seen.size} contents were seen`);
});
