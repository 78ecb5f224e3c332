/** The settings that a registry or a client's own dialogue asks a person for; each is one of the server's variables. */
import { type Flag, type FlagName, FLAGS } from "../../src/config/flags.ts";

export interface Option {
  readonly flag: FlagName;
  /** The environment variable that sets it. */
  readonly variable: string;
  /** As a dialogue shows it. */
  readonly title: string;
  readonly description: string;
  readonly kind: "string" | "number" | "boolean";
  /**
   * Never absent: what a person leaves alone reaches the server as this. An empty variable is as good as none, where a
   * placeholder that nobody has filled in would end the server's start.
   */
  readonly preset: string | number | boolean;
  /** The words that are legal, if only some are. */
  readonly choices?: readonly string[];
}

type Chosen = Omit<Option, "variable" | "description"> & { readonly remark?: string };

const CHOSEN: readonly Chosen[] = [
  { flag: "codex", title: "Codex program", kind: "string", preset: "", remark: "Empty: looked for" },
  {
    flag: "max-concurrent",
    title: "Agents at the same time",
    kind: "number",
    preset: Number(FLAGS["max-concurrent"].default),
  },
  {
    flag: "max-sandbox",
    title: "Widest sandbox",
    kind: "string",
    // Whoever installs by a click has no configuration that a bound could break.
    preset: "workspace-write",
    choices: ["read-only", "workspace-write", "danger-full-access"],
  },
  { flag: "root", title: "Directory for agents", kind: "string", preset: "", remark: "Empty: no limit" },
  { flag: "read-only", title: "Only look", kind: "boolean", preset: false },
  { flag: "task-timeout", title: "Time limit of a run", kind: "string", preset: FLAGS["task-timeout"].default ?? "" },
  { flag: "state-dir", title: "State directory", kind: "string", preset: "", remark: "Empty: the usual one" },
];

/** In the order in which they are asked for. */
export const OPTIONS: readonly Option[] = CHOSEN.map(({ remark, ...chosen }) => {
  const { variable, description }: Flag = FLAGS[chosen.flag];
  if (variable === undefined) throw new Error(`Cannot offer --${chosen.flag}: no variable sets it.`);
  return { ...chosen, variable, description: `${description}${remark === undefined ? "" : `. ${remark}`}` };
});
