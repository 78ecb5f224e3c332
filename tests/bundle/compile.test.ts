import assert from "node:assert/strict";
import { join } from "node:path";
import { compile, compileJobs } from "../../.github/scripts/compile.ts";
import { PLATFORMS, TARGETS } from "../../.github/scripts/release_names.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("compile() says in one line why no base runtime came and what to do", async () => {
  await using directory = await tempDirectory();
  const bundle = join(directory.path, "program.js");
  await Deno.writeTextFile(bundle, "");
  // Port 9 discards or refuses, and the empty cache holds no base runtime.
  const nowhere = "http://127.0.0.1:9";
  const env = { DENO_DIR: join(directory.path, "cache"), DENORT_BIN: "", HTTPS_PROXY: nowhere, https_proxy: nowhere };
  const error = await compile({ bundle, output: join(directory.path, "program"), env }).then(
    () => new Error("it compiled"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error);
  assert.match(error.message, /^Cannot compile: .*denort.*\. Set DENORT_BIN .* `deno task bundle`\.$/);
});

Deno.test("compile() takes a given base for that of no other platform", async () => {
  const target = PLATFORMS[Deno.build.arch === "x86_64" ? "linux-arm64" : "linux-x64"].triple;
  const options = { bundle: "program.js", output: "program", target, env: { DENORT_BIN: Deno.execPath() } };
  await assert.rejects(compile(options), /^Error: Cannot compile for \S+-linux-gnu: DENORT_BIN names .* Unset it/);
});

Deno.test("--all compiles for every platform of a release, each into a directory of its own", () => {
  assert.deepEqual(compileJobs(["--all"], "dist"), [
    { output: join("dist", "linux-x64", "codex-swarm"), target: "x86_64-unknown-linux-gnu" },
    { output: join("dist", "linux-arm64", "codex-swarm"), target: "aarch64-unknown-linux-gnu" },
    { output: join("dist", "macos-x64", "codex-swarm"), target: "x86_64-apple-darwin" },
    { output: join("dist", "macos-arm64", "codex-swarm"), target: "aarch64-apple-darwin" },
    { output: join("dist", "windows-x64", "codex-swarm.exe"), target: "x86_64-pc-windows-msvc" },
    { output: join("dist", "windows-arm64", "codex-swarm.exe"), target: "aarch64-pc-windows-msvc" },
  ]);
  assert.deepEqual(Object.keys(PLATFORMS), [...TARGETS]);
  const triple = "aarch64-apple-darwin";
  assert.deepEqual(compileJobs(["--target", triple], "dist"), [{
    output: join("dist", "codex-swarm"),
    target: triple,
  }]);
  assert.deepEqual(compileJobs([], "dist"), [{ output: join("dist", "codex-swarm") }]);
  assert.throws(() => compileJobs(["--all", "--target", triple]), /^Error: Cannot compile: give --target or --all/);
});

Deno.test("this Deno knows each platform of a release", async () => {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--target", "none", "program.ts"],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const known = new TextDecoder().decode(stderr);
  assert.deepEqual(TARGETS.filter((target) => !known.includes(PLATFORMS[target].triple)), [], known);
});
