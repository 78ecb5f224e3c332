/** Rules about the text of the sources that neither the compiler nor the linter knows. */

/** Where effects on the world are allowed. */
const EFFECTS =
  /^(main\.ts|src\/(log\.ts|program\/|server\/http|cli\/|codex\/(probe|find_codex|codex_home|codex_state|thread_file)\.ts|process\/|storage\/|git\/))/;
/** Lines that a file may have; design and style say "about 200". */
const MAX_LINES = 220;
/** Longer files, each with its reason. */
const LONG_FILES: ReadonlyMap<string, string> = new Map([
  ["src/config/flags.ts", "one table; it decides nothing"],
  ["src/supervisor/supervisor.ts", "the one class that owns all state; what it does to a task stands beside it"],
]);

/** One sentence for each rule that a source file breaks. */
export function brokenRules(path: string, text: string): string[] {
  const code = withoutText(text);
  const broken: string[] = [];
  if (!EFFECTS.test(path)) {
    const effects = new Set(
      [...code.matchAll(/\bDeno\.(?!build\b|errors\b)(?:[a-z]\w*|Command)\b/g)].map(([name]) => name),
    );
    for (const effect of effects) broken.push(`${path} uses ${effect}: effects belong at the edge`);
  }
  const lines = text.split("\n").length - 1;
  if (lines > MAX_LINES && !LONG_FILES.has(path)) broken.push(`${path} has ${lines} lines: split it, or give a reason`);
  if (lines <= 200 && LONG_FILES.has(path)) broken.push(`${path} needs no reason for its length any more`);
  const destroys = DESTROYING_GIT.exec(text)?.[1];
  if (destroys !== undefined && !(destroys === "--reset" && RESETTING.has(path))) {
    broken.push(`${path} has git ${destroys}, which can destroy work`);
  }
  for (const [name, pattern] of FORBIDDEN) {
    if (pattern.test(withoutImports(code))) broken.push(`${path} has ${name}`);
  }
  return broken;
}

/** Arguments by which git may destroy work; forced is only what writes into a place that nobody has been in. */
const DESTROYING_GIT =
  /(?<=[[,]\s*)(?<!"checkout-index", "--all", )"(--hard|--reset|--force|clean|gc|prune|--prune(?:=\w+)?|-[dDf]|-fdx?|stash|checkout|switch|reset|rm|--mirror)"(?=\s*[,\]])/;

/** Files that have git overwrite a working tree, each with its reason. */
const RESETTING: ReadonlyMap<string, string> = new Map([
  ["src/git/update_checkout.ts", "what stands there is in a snapshot"],
  ["src/git/worktree.ts", "nobody has been in the worktree yet"],
]);

const FORBIDDEN: ReadonlyMap<string, RegExp> = new Map([
  ["a cast", /(?<!\bkeyof \w+)(?<=[\w)\]}]) as (?!const\b)/],
  ["any", /[:<,|(] *any\b/],
  ["a non-null assertion", /[\w)\]]!(?=[.,;)\]\s[])(?! *=)/],
  ["console", /\bconsole\./],
  ["a suppressed check", /@ts-(ignore|expect-error|nocheck)/],
]);

/** Blanks comments and the words in strings, but keeps `@ts-` remarks and what templates compute. */
function withoutText(text: string): string {
  const pattern = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replaceAll(pattern, (part) => {
    if (part.startsWith("`")) return `"${[...part.matchAll(/\$\{[^}]*\}/g)].join(" ")}"`;
    return /@ts-\w+/.exec(part)?.[0] ?? '""';
  });
}

function withoutImports(code: string): string {
  return code.replaceAll(/^(?:import|export)\b[^;=]*?\bfrom ""[^;]*;/gm, "");
}
