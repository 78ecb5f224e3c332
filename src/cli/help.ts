/** Writes what `codex-swarm --help` prints, from the tables of flags and variables. */
import { COMMANDS } from "../config/commands.ts";
import { type Flag, FLAG_GROUPS, flagEntries } from "../config/flags.ts";
import { DURATION_FORM } from "../config/values.ts";
import { type Variable, VARIABLES } from "../config/variables.ts";

const WIDTH = 100;
/** The column where descriptions start. */
const INDENT = 34;

/** What somebody might type, and what it is for. */
const EXAMPLES: readonly (readonly [string, string])[] = [
  ["codex-swarm doctor", "Is all there that agents need?"],
  ["claude mcp add codex-swarm -- codex-swarm", "Use it in Claude Code"],
  ["codex-swarm install codex", "Use it in Codex"],
  ["codex-swarm install vscode --print", "See what VS Code would be given"],
  ["codex-swarm -c model=gpt-5.5 -c sandbox_mode=workspace-write", "Set what agents use by default"],
  ["codex-swarm --root ~/projects --max-sandbox workspace-write", "Bound what any call may ask for"],
  ["codex-swarm --http", "One server for all clients of this machine"],
  ["codex-swarm --max-concurrent 4 --task-timeout 45m", "Run four at once, none longer than 45 minutes"],
  ["CODEX_SWARM_STATE_DIR=/data/swarm codex-swarm --log-level INFO", "Keep state elsewhere and log more"],
];

/** Gives the help, at most 100 columns wide and ending with a newline. */
export function helpText(version: string): string {
  const commands = Object.entries(COMMANDS).map(([name, description]) => row(`  ${name}`, description));
  const examples = EXAMPLES.map(([command, purpose]) => `  # ${purpose}\n  ${command}\n`);
  const groups = FLAG_GROUPS.map((group) => {
    const flags = flagEntries().filter(([, flag]) => flag.group === group).map(([name, flag]) => flagRow(name, flag));
    return section(group, [...(group === "Commands" ? commands : []), ...flags]);
  });
  const variables = (of: Variable["of"]): string[] =>
    Object.entries(VARIABLES).filter(([, variable]) => variable.of === of)
      .map(([name, variable]) => variableRow(name, variable));
  return [
    `codex-swarm ${version}: starts, watches and stops many Codex agents at once\n`,
    section("Use", [
      "  codex-swarm [mcp-server] [FLAGS]      serve MCP on stdin and stdout\n",
      "  codex-swarm --http [FLAGS]            serve it to many clients over HTTP\n",
      "  codex-swarm doctor [FLAGS]            check this machine\n",
      "  codex-swarm install CLIENT [--http] [--print]\n",
      "                                        put it into a client's configuration; uninstall takes it out\n\n",
      ...paragraph(
        "A flag can be set by the environment variable named in its brackets; the flag wins. A variable of a " +
          `switch is 1, true, yes, 0, false or no. DURATION is ${DURATION_FORM}. ~ is the home directory.`,
      ),
    ]),
    ...groups,
    section("Variables without a flag", variables("codex-swarm")),
    section(
      "Variables without a flag, as codex-mcp-swarm had them (a bad value is ignored)",
      variables("codex-mcp-swarm"),
    ),
    section("Variables without a flag, as codex-as-mcp had them", variables("codex-as-mcp")),
    section("Examples", examples),
    section(
      "Coming from codex-mcp-swarm, codex-as-mcp or codex mcp-server",
      paragraph(
        "Change the command of your configuration and keep its arguments: -c, --skip-git-repo-check, --ephemeral and " +
          "--env mean the same, --enable and --disable set features.NAME. The names of those programs, the words of " +
          "their launchers (--upgrade, run python -m …) and other flags of Codex are ignored with a warning.",
      ),
    ),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.join("")}`;
}

function flagRow(name: string, flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : ` ${flag.value}`;
  return row(`  ${short}--${name}${value}`, describeFlag(flag));
}

function variableRow(name: string, variable: Variable): string {
  return row(`  ${name} ${variable.value}`, `${variable.description}${defaultOf(variable)}`);
}

function describeFlag(flag: Flag): string {
  const repeatable = flag.isRepeatable === true ? "; repeatable" : "";
  const form = flag.variableForm === undefined ? "" : `: ${flag.variableForm}`;
  const variable = flag.variable === undefined ? "" : ` [${flag.variable}${form}]`;
  return `${flag.description}${repeatable}${defaultOf(flag)}${variable}`;
}

function defaultOf(setting: Flag | Variable): string {
  const value = setting.default ?? setting.otherwise;
  return value === undefined ? "" : ` (default: ${value})`;
}

/** Puts `text` in its column beside `head`, or below a head that is too long. */
function row(head: string, text: string): string {
  const lines = wrap(text, WIDTH - INDENT).map((line) => `${" ".repeat(INDENT)}${line}`);
  const first = head.length < INDENT - 1 ? `${head.padEnd(INDENT)}${lines.shift()?.trimStart() ?? ""}` : head;
  return [first, ...lines].map((line) => `${line}\n`).join("");
}

function paragraph(text: string): string[] {
  return wrap(text, WIDTH - 2).map((line) => `  ${line}\n`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
