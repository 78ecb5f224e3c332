/** Which tools are offered, as far as flags say it. */
import { closest } from "./closest.ts";
import { ConfigError } from "./config_error.ts";
import { FLAGS } from "./flags.ts";
import { readNames, readSwitch, type Sources } from "./settings.ts";

/** Names are as the user wrote them; {@linkcode checkToolChoice} holds them against those that there are. */
export interface ToolChoice {
  /** All tools of these sets, … */
  readonly toolsets: readonly string[];
  /** … and these, … */
  readonly tools: readonly string[] | null;
  /** … without these, … */
  readonly exclude: readonly string[];
  /** … and without those that do more than look. */
  readonly isReadOnly: boolean;
}

export function readToolChoice(sources: Sources): ToolChoice {
  const toolsets = readNames(sources, "toolsets");
  const tools = readNames(sources, "tools");
  const all = (FLAGS.toolsets.default ?? "").split(",");
  return {
    toolsets: toolsets ?? (tools === null ? all : []),
    tools,
    exclude: readNames(sources, "exclude-tools") ?? [],
    isReadOnly: readSwitch(sources, "read-only"),
  };
}

/** Throws {@linkcode ConfigError} for a name that no tool or toolset has. */
export function checkToolChoice(
  choice: ToolChoice,
  known: { readonly toolsets: readonly string[]; readonly tools: readonly string[] },
): void {
  checkNames(choice.toolsets, { what: "toolset", flag: "--toolsets", known: known.toolsets });
  checkNames(choice.tools ?? [], { what: "tool", flag: "--tools", known: known.tools });
  checkNames(choice.exclude, { what: "tool", flag: "--exclude-tools", known: known.tools });
}

function checkNames(
  names: readonly string[],
  { what, flag, known }: { readonly what: string; readonly flag: string; readonly known: readonly string[] },
): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = closest(unknown, known);
  throw new ConfigError(
    `Unknown ${what} "${unknown}" in ${flag}: expected ${known.join(", ")}${
      meant === null ? "" : `; did you mean ${meant}?`
    }`,
  );
}
