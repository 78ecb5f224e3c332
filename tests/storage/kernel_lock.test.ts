import assert from "node:assert/strict";
import { join } from "node:path";
import { tryLock } from "../../src/storage/kernel_lock.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const STARTER = new URL("../fixtures/start_processes.ts", import.meta.url);
const STARTS = 50;

Deno.test(
  { name: "a lock is free at once when it is let go, whatever is being started", ignore: Deno.build.os === "windows" },
  async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "lock");
    // Each process has a copy of all descriptors until it has become its program.
    const starter = new Worker(STARTER, { type: "module" });
    let started = 0;
    starter.addEventListener("message", () => started++);
    const taken: boolean[] = [];
    while (started < STARTS) {
      using lock = tryLock(path);
      taken.push(lock !== null);
      if (taken.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    starter.terminate();
    assert.equal(taken.filter((isTaken) => !isTaken).length, 0, `of ${taken.length}`);
  },
);
