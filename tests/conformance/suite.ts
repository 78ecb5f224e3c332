/** The official conformance suite of MCP as a program of its own, and what it found. */
import { join } from "node:path";
import * as z from "zod";
import { installNodePrograms, type NodePrograms } from "../helpers/node_programs.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const VERSION = "0.2.0-alpha.12";

export const REVISIONS = ["2025-11-25", "2026-07-28"] as const;
/** Of the protocol. */
export type Revision = typeof REVISIONS[number];

const check = z.looseObject({
  id: z.string(),
  status: z.enum(["SUCCESS", "FAILURE", "WARNING", "SKIPPED", "INFO"]),
  errorMessage: z.string().optional(),
});
/** One thing that a scenario looked at. */
export type Check = z.output<typeof check>;

/** By the name of their scenario. */
export type Findings = ReadonlyMap<string, readonly Check[]>;

/** Installs the suite unless an earlier run did. */
export async function installSuite(): Promise<NodePrograms> {
  return await installNodePrograms(`conformance-${VERSION}`, [`@modelcontextprotocol/conformance@${VERSION}`]);
}

/** Names all scenarios for servers that there are, or those that a revision has: the ones that it scores and the others. */
export async function listScenarios(suite: NodePrograms, revision?: Revision): Promise<string[]> {
  const { stdout } = await run(suite, [
    "list",
    ...(revision === undefined ? ["--server"] : ["--requirements", revision]),
  ]);
  const [, server = ""] = /^Server scenarios.*\n((?: {2}- .*\n)+)/m.exec(stdout) ?? [];
  return [...server.matchAll(/^ {2}- (\S+)/gm), ...stdout.matchAll(/^ {4}- (\S+) \[server\]$/gm)]
    .map(([, name = ""]) => name).toSorted();
}

/** Runs every scenario of a revision against the server at `url`. */
export async function runSuite(
  suite: NodePrograms,
  { url, revision }: { readonly url: string; readonly revision: Revision },
): Promise<Findings> {
  await using results = await tempDirectory();
  const { stdout, stderr } = await run(suite, [
    ...["server", "--url", url, "--requirements", revision, "--output-dir", results.path],
  ]);
  const findings = new Map<string, Check[]>();
  for await (const { name } of Deno.readDir(results.path)) {
    const [, scenario] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
    if (scenario === undefined) throw new Error(`the suite wrote ${name}, of which nothing is known`);
    const text = await Deno.readTextFile(join(results.path, name, "checks.json"));
    findings.set(scenario, z.array(check).parse(JSON.parse(text)));
  }
  // Its exit code says nothing: most checks do not score.
  if (findings.size === 0) throw new Error(`the suite ran nothing: ${stdout}${stderr}`);
  return findings;
}

async function run(
  { node, modules }: NodePrograms,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { stdout, stderr } = await new Deno.Command(node, {
    args: [join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js"), ...args],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
