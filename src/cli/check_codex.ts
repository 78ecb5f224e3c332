/** The part of `codex-swarm doctor` that is about Codex. */
import type { CodexCommand } from "../codex/codex_args.ts";
import { codexLoginStatus, type CodexProbe, hasFlag, probeCodex, type ProbeOptions } from "../codex/probe.ts";
import { TaskError } from "../task/errors.ts";
import { type Finding, firstLine } from "./finding.ts";

/** The flags that some tasks need, and what is refused without them. `--json` is needed by all: the probe refuses. */
const WANTED_FLAGS: readonly (readonly [string, CodexCommand, string])[] = [
  ["--cd", "exec", "every task"],
  ["--sandbox", "exec", "the parameter sandbox"],
  ["--add-dir", "exec", "the parameter add-dirs"],
  ["--profile", "exec", "the parameter profile"],
  ["--model", "exec", "the parameter model"],
  ["--image", "exec", "the parameter images"],
  ["--image", "exec resume", "the parameter images of a reply"],
  ["--output-schema", "exec", "the parameter output-schema"],
  ["--skip-git-repo-check", "exec", "the flag --skip-git-repo-check"],
  ["--ephemeral", "exec", "the flag --ephemeral"],
];

/** Looks for Codex, asks what it can do and whether it is signed in. */
export async function checkCodex(options: ProbeOptions): Promise<Finding[]> {
  let probe: CodexProbe;
  try {
    probe = await probeCodex(options);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    return [describeRefusal(error.message)];
  }
  return [describeCodex(probe), ...checkNative(probe), ...checkFlags(probe), await checkLogin(probe, options.env)];
}

/** The last sentence of such a message is the way out. */
function describeRefusal(message: string): Finding {
  const end = message.lastIndexOf(". ") + 1;
  if (end === 0) return { level: "problem", text: message };
  return { level: "problem", text: message.slice(0, end), details: [message.slice(end).trimStart()] };
}

function describeCodex({ version, path, foundIn, binary }: CodexProbe): Finding {
  const details = binary === path ? [] : [`It runs ${binary}.`];
  return { level: "ok", text: `Codex ${version} at ${path}, found in ${foundIn}`, details };
}

function checkNative({ isNpmLauncher, isIndirect, binary }: CodexProbe): Finding[] {
  if (!isNpmLauncher || !isIndirect) return [];
  return [{
    level: "warning",
    text: `Codex's native binary was not found behind npm's launcher ${binary}: agents start slower and need Node`,
    details: ["Reinstall it with `npm install -g @openai/codex`, without --omit=optional."],
  }];
}

function checkFlags(probe: CodexProbe): Finding[] {
  const missing = WANTED_FLAGS.filter(([flag, command]) => !hasFlag(probe, flag, command))
    .filter(([, command]) => command === "exec" || probe.hasResume)
    .map(([flag, command, user]) => `\`codex ${command}\` has no ${flag}, which ${user} needs`);
  if (!probe.hasResume) missing.push("Codex has no `exec resume`, so that threads cannot be continued");
  return missing.map((text) => ({
    level: "warning",
    text,
    details: ["Update it with `npm install -g @openai/codex@latest` if you want to use that."],
  }));
}

async function checkLogin(probe: CodexProbe, env: Readonly<Record<string, string>>): Promise<Finding> {
  const { isLoggedIn, text } = await codexLoginStatus(probe, env);
  if (isLoggedIn) return { level: "ok", text: `Signed in: ${firstLine(text)}` };
  return {
    level: "warning",
    text: `Codex is not signed in: ${firstLine(text)}`,
    details: ["Run `codex login`, or set CODEX_API_KEY. A model provider of your own in config.toml may need neither."],
  };
}
