/** What the release workflow must not lose; that it can be read at all `tests/checkers/` holds. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { PLATFORMS, TARGETS } from "../../.github/scripts/release_names.ts";

const TEXT = (await Deno.readTextFile(new URL("../../.github/workflows/release.yml", import.meta.url)))
  .replaceAll("\r\n", "\n");

/** The text of each job by its name. */
function jobs(): Map<string, string> {
  const parts = TEXT.slice(TEXT.indexOf("\njobs:\n") + 6).split(/^ {2}(?=[a-z]+:\n)/m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(":")), part]));
}

Deno.test("each platform's program is tried on a machine of that platform before anything is published", () => {
  const matrix = [...TEXT.matchAll(/^ +- \{ target: ([\w-]+), runner: ([\w.-]+) \}$/gm)].map(([, ...cells]) => cells);
  assert.deepEqual(matrix, TARGETS.map((target) => [target, PLATFORMS[target].runner]));
  const needs = [...jobs()].map(([name, text]) => [name, /^ {4}needs: (.*)$/m.exec(text)?.[1]]);
  assert.deepEqual(needs, [
    ["check", undefined],
    ["build", "check"],
    ["smoke", "build"],
    ["attest", "smoke"],
    ["publish", "attest"],
    ["package", "publish"],
    ["propose", "package"],
  ]);
});

Deno.test("each job of the release may do no more than it must", () => {
  assert.match(TEXT, /^permissions: \{\}$/m);
  const granted = [...jobs()].map(([name, text]) => {
    const block = /^ {4}permissions:\n((?: {6}.*\n)+)/m.exec(text)?.[1] ?? "none";
    return [name, block.trim().split(/\n */).join(", ")];
  });
  assert.deepEqual(Object.fromEntries(granted), {
    check: "contents: read",
    build: "contents: read",
    smoke: "contents: read",
    attest: "id-token: write, attestations: write",
    publish: "contents: write",
    package: "contents: read",
    propose: "contents: read",
  });
});

Deno.test("no step of the release has text of others in its script", () => {
  const scripts = [...TEXT.matchAll(/^ +(?:- )?run: (?:[|>]-?\n((?: {10,}.*\n)+)|(.*)\n)/gm)];
  assert.ok(scripts.length > 10);
  for (const [script] of scripts) assert.ok(!script.includes("${{"), script);
});

Deno.test("what is published is whole, attested, and proposed to others only if it is no trial", () => {
  const text = (name: string): string => jobs().get(name) ?? "";
  assert.match(text("attest"), /^ {6}- run: sha256sum --check --strict SHA256SUMS\n {8}working-directory: release$/m);
  assert.match(text("attest"), /^ {10}subject-path: release\/\*$/m);
  assert.match(text("publish"), /gh release create "\$TAG" --verify-tag .* release\/\*$/m);
  assert.match(text("package"), /^ {4}if: \$\{\{ !contains\(github\.ref_name, '-'\) \}\}$/m);
});

Deno.test("whatever README downloads from the release page is put there, and has a sum", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const names = [...readme.matchAll(/releases\/latest\/download\/([\w.]+)/g)].map(([, name = ""]) => name);
  const build = jobs().get("build") ?? "";
  const [copied = ""] = /run: cp .* dist\/release\/$/m.exec(build) ?? [];
  assert.deepEqual(names, ["install.sh", "install.ps1"]);
  assert.deepEqual(names.filter((name) => !copied.includes(`/${name} `)), []);
  assert.ok(build.indexOf(copied) < build.indexOf("sums.ts"));
});

Deno.test("each script and task of the release exists", async () => {
  const tasks = [...TEXT.matchAll(/ deno@\S+ task ([\w:]+)/g)].map(([, task = ""]) => task);
  assert.deepEqual(tasks.filter((task) => !Object.hasOwn(manifest.tasks, task)), []);
  const scripts = new Set([...TEXT.matchAll(/\.github\/scripts\/[\w.]+/g)].map(([path]) => path));
  assert.ok(scripts.size > 4);
  for (const script of scripts) {
    assert.ok((await Deno.stat(new URL(`../../${script}`, import.meta.url))).isFile, script);
  }
});
