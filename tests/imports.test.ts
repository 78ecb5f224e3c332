import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { brokenImports, type Module } from "./helpers/import_rules.ts";

const ROOT = new URL("../", import.meta.url);
const resolved = z.object({ specifier: z.string() });
const denoInfo = z.object({
  modules: z.array(z.looseObject({
    specifier: z.string(),
    dependencies: z.array(z.looseObject({ code: resolved.optional(), type: resolved.optional() })).optional(),
  })),
});

/** The modules of the program, types included. */
async function readGraph(): Promise<Module[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: fileURLToPath(ROOT),
    stdin: "null",
    stderr: "null",
  }).output();
  const { modules } = denoInfo.parse(JSON.parse(new TextDecoder().decode(stdout)));
  return modules.filter(({ specifier }) => specifier.startsWith(ROOT.href)).map(({ specifier, dependencies = [] }) => ({
    path: pathOf(specifier),
    imports: dependencies.flatMap(({ code, type }) => (code ?? type)?.specifier ?? []).map(pathOf),
  }));
}

function pathOf(specifier: string): string {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : specifier;
}

Deno.test("imports go one way", async () => {
  const graph = await readGraph();
  assert.ok(graph.some(({ path }) => path === "src/supervisor/supervisor.ts"));
  assert.deepEqual(brokenImports(graph), []);
});

Deno.test("files and processes are reached through Deno only", async () => {
  const around = /^node:(fs|fs\/promises|child_process|net|http|https|worker_threads|dns)$/;
  const found = (await readGraph()).filter(({ imports }) => imports.some((name) => around.test(name)));
  // Deno.Command cannot give a child a file to write into, Deno cannot tell how full a disk is, and Deno.serve bounds no
  // connection; what uses types alone is not asked.
  assert.deepEqual(found.map(({ path }) => path), [
    "src/process/direct.ts",
    "src/server/http/listen.ts",
    "src/server/http/read_body.ts",
    "src/server/http/serve_http.ts",
    "src/server/http/web_exchange.ts",
    "src/storage/room.ts",
  ]);
});

Deno.test("brokenImports() names each import that breaks a rule", () => {
  const graph: Module[] = [
    { path: "main.ts", imports: ["src/config.ts", "src/server/stdio.ts", "src/task/task.ts", "src/log.ts", "npm:zod"] },
    { path: "src/server/stdio.ts", imports: ["src/tools/mod.ts", "src/cli/help.ts", "src/codex/probe.ts"] },
    { path: "src/cli/help.ts", imports: ["src/config/flags.ts", "src/codex/probe.ts"] },
    { path: "src/dashboard/page.ts", imports: ["src/cli/help.ts", "src/tools/mod.ts"] },
    { path: "src/tools/mod.ts", imports: ["src/tools/tool.ts", "src/config/flags.ts"] },
    { path: "src/storage/bell.ts", imports: ["src/git/repository.ts", "src/process/shim.ts"] },
    { path: "src/task/task.ts", imports: ["src/process/shim.ts", "src/log.ts"] },
    { path: "src/config/flags.ts", imports: ["src/task/task.ts", "src/process/shim.ts"] },
    { path: "src/log.ts", imports: ["src/task/task.ts"] },
    { path: "src/utils/misc.ts", imports: ["src/task/task.ts"] },
  ];
  assert.deepEqual(brokenImports(graph), [
    "src/server/stdio.ts imports src/cli/help.ts: these two parts are strangers to each other",
    "src/server/stdio.ts imports src/codex/probe.ts: the server knows tools, not Codex",
    "src/dashboard/page.ts imports src/cli/help.ts: these two parts are strangers to each other",
    "src/tools/mod.ts imports src/config/flags.ts: only main.ts, the program's parts and cli/help.ts know flags and variables",
    "src/storage/bell.ts imports src/git/repository.ts: these two parts are strangers to each other",
    "src/task/task.ts imports src/process/shim.ts: imports go down only",
    "src/config/flags.ts imports src/process/shim.ts: the configuration knows only the words of the domain",
    "src/log.ts imports src/task/task.ts: the log knows nobody",
    "src/utils/misc.ts imports src/task/task.ts: this file belongs to no part",
  ]);
});
