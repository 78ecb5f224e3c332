import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brokenRules } from "./helpers/source_rules.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

async function listSources(directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, directory))) {
    const path = `${directory}/${name}`;
    if (isDirectory) paths.push(...await listSources(path));
    else if (name.endsWith(".ts")) paths.push(path);
  }
  return paths.sort();
}

async function readSource(path: string): Promise<string> {
  return (await Deno.readTextFile(join(ROOT, path))).replaceAll("\r\n", "\n");
}

Deno.test("the sources keep the rules about effects, length, casts and console", async () => {
  const paths = ["main.ts", ...await listSources("src")];
  assert.ok(paths.includes("src/supervisor/supervisor.ts"));
  const broken = await Promise.all(paths.map(async (path) => brokenRules(path, await readSource(path))));
  assert.deepEqual(broken.flat(), []);
});

Deno.test("brokenRules() finds what is not allowed, and only that", () => {
  const fine = `import * as z from "zod";
import { type A as B } from "./a.ts";
/** As any of us would do. See Deno.open. */
const x = ["as any", 'console.log', \`\${f()} as text\`] as const;
type Renamed<T> = { [K in keyof T as string]: T[K] };
const isWindows = Deno.build.os === "windows" || x !== undefined && !x.length;
let file: Deno.FsFile; // x as string
`;
  assert.deepEqual(brokenRules("src/tools/a.ts", fine), []);
  const foul = `const a = Deno.openSync(b as string);
new Deno.Command(a!.c); console.log(a);
// @ts-ignore: because
const d: any = fetch;
`;
  assert.deepEqual(brokenRules("src/tools/a.ts", `${foul}${"\n".repeat(300)}`), [
    "src/tools/a.ts uses Deno.openSync: effects belong at the edge",
    "src/tools/a.ts uses Deno.Command: effects belong at the edge",
    "src/tools/a.ts has 304 lines: split it, or give a reason",
    "src/tools/a.ts has a cast",
    "src/tools/a.ts has any",
    "src/tools/a.ts has a non-null assertion",
    "src/tools/a.ts has console",
    "src/tools/a.ts has a suppressed check",
  ]);
  assert.deepEqual(brokenRules("src/storage/a.ts", "await Deno.open(a);\n"), []);
  const git = (args: string): string[] => brokenRules("src/git/a.ts", `await git.output([${args}], call);\n`);
  assert.deepEqual(git('"checkout-index", "--all", "--force"'), []);
  assert.deepEqual(git('"worktree", "remove", path'), []);
  for (
    const [args, name] of [
      ['"worktree", "remove", "--force", path', "--force"],
      ['"worktree",\n "prune"', "prune"],
      ['"branch", "-D", name', "-D"],
      ['"reset", "--hard"', "reset"],
      ['"read-tree", "--reset", "-u", head', "--reset"],
      ['"clean", "-fdx"', "clean"],
      ['...at, "gc"', "gc"],
    ] as const
  ) assert.deepEqual(git(args), [`src/git/a.ts has git ${name}, which can destroy work`]);
  const reset = 'await git.output(["read-tree", "--reset", "-u", base], call);\n';
  assert.deepEqual(brokenRules("src/git/worktree.ts", reset), []);
  assert.deepEqual(brokenRules("src/supervisor/supervisor.ts", ""), [
    "src/supervisor/supervisor.ts needs no reason for its length any more",
  ]);
});
