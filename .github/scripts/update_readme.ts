/**
 * Writes README's tables of tools, parameters, flags and variables anew from the sources. With `--check` it writes
 * nothing and ends with 1 when README is stale.
 */
import { z } from "zod";
import { COMMANDS } from "../../src/config/commands.ts";
import { type Flag, flagEntries } from "../../src/config/flags.ts";
import { DURATION_FORM } from "../../src/config/values.ts";
import { MARKERS, type Variable, VARIABLES } from "../../src/config/variables.ts";
import { shownInput } from "../../src/server/tool_input.ts";
import { tools } from "../../src/tools/mod.ts";
import type { Tool } from "../../src/tools/tool.ts";

/** As much of a parameter's JSON Schema as the table shows. */
const jsonProperty = z.looseObject({
  description: z.string(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string() })).optional(),
  items: z.looseObject({ type: z.string() }).optional(),
});
const jsonInput = z.looseObject({
  properties: z.record(z.string(), jsonProperty),
  required: z.array(z.string()).optional(),
});

/** What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
const sections: Readonly<Record<string, () => string>> = {
  tools: toolTable,
  parameters: parameterTable,
  commands: commandTable,
  flags: flagTable,
  variables: variableTable,
};

/** Gives the text with every section written anew. Throws when a section's markers are missing. */
export function updateReadme(readme: string): string {
  return Object.entries(sections).reduce((text, [name, content]) => {
    const begin = `<!-- ${name}:begin -->`;
    const end = `<!-- ${name}:end -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`README has no section ${begin} … ${end}`);
    return `${text.slice(0, from)}${begin}\n\n${content()}\n${text.slice(to)}`;
  }, readme);
}

function toolTable(): string {
  const rows = tools.map((tool) => [
    code(tool.name),
    tool.description,
    tool.effect,
    parameterNames(tool),
  ]);
  return table(["Tool", "What it does", "Effect", "Parameters (required ones in bold)"], rows);
}

/** The names, or which earlier tool has all the same parameters. */
function parameterNames(tool: Tool): string {
  const parameters = parametersOf(tool);
  const twin = tools.find((other) => JSON.stringify(parametersOf(other)) === JSON.stringify(parameters));
  if (twin !== undefined && twin !== tool && parameters.length > 0) return `those of ${code(twin.name)}`;
  return parameters.map(({ name, isRequired }) => isRequired ? `**${code(name)}**` : code(name)).join(" ");
}

/** One row per parameter and meaning: several tools share most of them. */
function parameterTable(): string {
  const rows = new Map<string, { readonly cells: readonly string[]; readonly users: string[] }>();
  for (const tool of tools) {
    for (const { name, type, description } of parametersOf(tool)) {
      const cells = [code(name), type, description];
      const key = cells.join("|");
      const row = rows.get(key) ?? { cells, users: [] };
      row.users.push(code(tool.name));
      rows.set(key, row);
    }
  }
  return table(
    ["Parameter", "Type", "Meaning", "Of"],
    [...rows.values()].map(({ cells, users }) => [...cells, users.join(" ")]),
  );
}

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly isRequired: boolean;
}

function parametersOf(tool: Tool): Parameter[] {
  const { properties, required } = jsonInput.parse(z.toJSONSchema(shownInput(tool), { io: "input" }));
  return Object.entries(properties).map(([name, property]) => ({
    name,
    type: typeOf(property),
    description: property.description,
    isRequired: required?.includes(name) ?? false,
  }));
}

function typeOf({ type, enum: values, anyOf, items }: z.output<typeof jsonProperty>): string {
  if (values !== undefined) return values.map(code).join(", ");
  if (anyOf !== undefined) return anyOf.map((one) => one.type).join(" or ");
  if (items !== undefined) return `${items.type}s`;
  return Array.isArray(type) ? type.join(" or ") : type ?? "any";
}

function commandTable(): string {
  return table(["Command", "What it does"], Object.entries(COMMANDS).map(([name, text]) => [code(name), text]));
}

function flagTable(): string {
  const rows = flagEntries().map(([name, flag]) => [
    code(
      `${flag.short === undefined ? "" : `-${flag.short}, `}--${name}${
        flag.value === undefined ? "" : ` ${flag.value}`
      }`,
    ),
    variableOf(flag),
    defaultOf(flag),
    `${flag.description}${flag.isRepeatable === true ? "; repeatable" : ""}`,
  ]);
  return `DURATION is ${DURATION_FORM}.\n\n${table(["Flag", "Variable", "Default", "Meaning"], rows)}`;
}

function variableOf({ variable, variableForm }: Flag): string {
  if (variable === undefined) return "";
  return `${code(variable)}${variableForm === undefined ? "" : `: ${variableForm}`}`;
}

function variableTable(): string {
  const settings = Object.entries(VARIABLES).map(([name, variable]) => [
    code(`${name}=${variable.value}`),
    defaultOf(variable),
    variable.description,
    variable.of,
  ]);
  const markers = MARKERS.map((
    name,
  ) => [code(name), "", "Set by codex-swarm for what an agent starts; no setting", ""]);
  return table(["Variable", "Default", "Meaning", "Of"], [...settings, ...markers]);
}

function defaultOf(setting: Flag | Variable): string {
  if (setting.default !== undefined) return code(setting.default);
  return setting.otherwise ?? "";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |\n`).join("");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  const readme = new URL("../../README.md", import.meta.url);
  const before = await Deno.readTextFile(readme);
  const after = updateReadme(before);
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(readme, after);
  else if (after !== before) {
    await Deno.stderr.write(
      new TextEncoder().encode(
        "README.md is stale: run `deno task update`.\n",
      ),
    );
    Deno.exit(1);
  }
}
