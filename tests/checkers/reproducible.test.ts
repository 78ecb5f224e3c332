/** Whoever has the sources can make the bundle of a release again, and see that it is the same. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../.github/scripts/bundle.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** All that a bundle is made of. */
const SOURCES = ["deno.json", "deno.lock", "main.ts", "src", join(".github", "scripts")];

/** Releases are made on Linux. */
const ignore = Deno.build.os === "windows";

Deno.test(
  { name: "the same sources make the same bundle, in another directory and with another DENO_DIR", ignore },
  async () => {
    await using temp = await tempDirectory();
    const here = join(temp.path, "bundle.js");
    const clone = join(temp.path, "some", "other place");
    const cache = join(temp.path, "cache");
    for (const path of SOURCES) await copy(join(ROOT, path), join(clone, path));
    // Its packages, so that nothing has to be downloaded, at another path and from there on its own.
    await copy(join(await denoDirectory(), "npm"), join(cache, "npm"));
    const [, there] = await Promise.all([bundle(here), bundleThere(clone, cache)]);
    assert.equal(await digest(there), await digest(here));
    // Another version is another bundle (control).
    const manifest = join(clone, "deno.json");
    const text = await Deno.readTextFile(manifest);
    await Deno.remove(manifest);
    await Deno.writeTextFile(manifest, text.replace('"version": "', '"version": "1'));
    await bundleThere(clone, cache);
    assert.notEqual(await digest(there), await digest(here));
  },
);

async function bundleThere(clone: string, cache: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "bundle"],
    cwd: clone,
    env: { DENO_DIR: cache, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return join(clone, "dist", "codex-swarm.js");
}

async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stdin: "null" }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

async function digest(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

/** A second name for each file is enough where the file system has any: there are thousands. */
async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.link(from, to).catch(() => Deno.copyFile(from, to));
    return;
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
