/** Who may import whom. */

/** A module and the modules it imports, as paths from the repository's top; packages as they are written. */
export interface Module {
  readonly path: string;
  readonly imports: readonly string[];
}

/** From the top down; parts of one line are strangers to each other. */
const LAYERS = [
  ["main.ts"],
  ["src/program/"],
  ["src/server/", "src/cli/", "src/dashboard/"],
  ["src/tools/"],
  ["src/supervisor/"],
  ["src/work/"],
  ["src/codex/", "src/git/", "src/storage/"],
  ["src/process/"],
  ["src/task/"],
] as const;
const PARTS = LAYERS.flatMap((layer, depth) => layer.map((start) => ({ start, depth })));

/** One sentence for each import that breaks a rule. */
export function brokenImports(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap((imported) => {
      const reason = isOurs(imported) ? reasonAgainst(path, imported) : null;
      return reason === null ? [] : [`${path} imports ${imported}: ${reason}`];
    })
  );
}

function isOurs(path: string): boolean {
  return path === "main.ts" || path.startsWith("src/");
}

function reasonAgainst(path: string, imported: string): string | null {
  if (imported === "src/log.ts") return null;
  if (path === "src/log.ts") return "the log knows nobody";
  if (isConfig(imported)) {
    const isAllowed = path === "main.ts" || path.startsWith("src/program/") || path === "src/cli/help.ts" ||
      isConfig(path);
    return isAllowed ? null : "only main.ts, the program's parts and cli/help.ts know flags and variables";
  }
  const to = partOf(imported);
  if (to === undefined) return "it belongs to no part";
  if (isConfig(path)) return to.start === "src/task/" ? null : "the configuration knows only the words of the domain";
  const from = partOf(path);
  if (from === undefined) return "this file belongs to no part";
  if (path.startsWith("src/server/") && imported.startsWith("src/codex/")) return "the server knows tools, not Codex";
  if (from.depth > to.depth) return "imports go down only";
  return from.depth === to.depth && from !== to ? "these two parts are strangers to each other" : null;
}

function isConfig(path: string): boolean {
  return path === "src/config.ts" || path.startsWith("src/config/");
}

function partOf(path: string): typeof PARTS[number] | undefined {
  return PARTS.find(({ start }) => path.startsWith(start));
}
