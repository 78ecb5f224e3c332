import assert from "node:assert/strict";
import { join } from "node:path";
import { Bell } from "../../src/storage/bell.ts";
import { exampleId } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test(
  { name: "Bell.ring() leaves a file that nobody else can read", ignore: Deno.build.os === "windows" },
  async () => {
    await using temp = await tempDirectory();
    await new Bell(temp.path).ring("0123abcd");
    const { mode } = await Deno.stat(join(temp.path, "0123abcd"));
    assert.equal((mode ?? 0) & 0o777, 0o600);
  },
);

Deno.test("Bell.tidy() removes what is left of tasks that are gone, and nothing else", async () => {
  await using temp = await tempDirectory();
  await new Bell(join(temp.path, "none")).tidy(() => Promise.resolve([]));
  const bell = new Bell(temp.path);
  for (const name of [exampleId(1), exampleId(2), exampleId(3), "slots"]) await bell.ring(name);
  await bell.tidy(async () => {
    // One that is made and rung for meanwhile.
    await bell.ring(exampleId(4));
    return [exampleId(2)];
  });
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path), ({ name }) => name).sort(), [
    exampleId(2),
    exampleId(4),
    "slots",
  ]);
});

/** Waits for a ring, for an hour at most. */
function hear(bell: Bell, id: string): { readonly heard: Promise<void>; readonly isHeard: () => boolean } {
  let isHeard = false;
  const heard = bell.next(id, 3_600_000, new AbortController().signal).then(() => void (isHeard = true));
  return { heard, isHeard: () => isHeard };
}

Deno.test("Bell.next() listens again after an error of the watch", async () => {
  await using temp = await tempDirectory();
  const failed = Promise.withResolvers<IteratorResult<Deno.FsEvent>>();
  let watches = 0;
  const bell = new Bell(temp.path, (directory) => {
    if (++watches > 1) return Deno.watchFs(directory, { recursive: false });
    return {
      [Symbol.asyncIterator]: () => ({ next: () => failed.promise }),
      close(): void {
        throw new Error("it is closed");
      },
    };
  });
  const first = hear(bell, exampleId(1));
  failed.reject(new Error("too many events"));
  await waitFor(async () => {
    await bell.next(exampleId(2), 0, new AbortController().signal);
    return watches === 2;
  }, { message: "another watch" });
  // Also for those who have waited since before.
  await bell.ring(exampleId(1));
  await first.heard;
  bell.close();
});

Deno.test("Bell.next() listens again when its directory was removed", async () => {
  await using temp = await tempDirectory();
  const directory = join(temp.path, "ended");
  const bell = new Bell(directory);
  const first = hear(bell, exampleId(1));
  await Deno.remove(directory, { recursive: true });
  // Whoever listens makes it again.
  await waitFor(async () => {
    await bell.next(exampleId(2), 0, new AbortController().signal);
    return (await Deno.stat(directory)).isDirectory;
  }, { message: "the directory to be there again" });
  await waitFor(async () => {
    await bell.ring(exampleId(1));
    return first.isHeard();
  }, { message: "the ring to be heard" });
  bell.close();
});
