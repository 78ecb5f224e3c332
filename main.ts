/** Reads the command line and the environment, and ends the process: nothing else does either. */
import manifest from "./deno.json" with { type: "json" };
import { checkToolChoice, type Config, ConfigError, parseConfig } from "./src/config.ts";
import { createLog } from "./src/log.ts";
import { changeClient } from "./src/program/change_client.ts";
import type { Program } from "./src/program/program.ts";
import { serve } from "./src/program/serve.ts";
import { probeCache } from "./src/program/state_places.ts";
import { writeText } from "./src/program/write_text.ts";
import { TaskError } from "./src/task/errors.ts";
import { chooseTools } from "./src/tools/choose_tools.ts";
import { tools } from "./src/tools/mod.ts";
import { type Tool, TOOLSETS } from "./src/tools/tool.ts";

const { version } = manifest;
const program: Program = {
  version,
  script: import.meta.filename,
  directory: import.meta.dirname,
  startTask: manifest.tasks.start,
};

async function main(): Promise<number> {
  try {
    const config = parseConfig({ args: Deno.args, env: Deno.env.toObject(), cwd: Deno.cwd(), os: Deno.build.os });
    return await run(config, chooseOffered(config));
  } catch (error) {
    // What of the command line cannot be used, and what cannot begin as it is told to.
    if (!(error instanceof ConfigError || error instanceof TaskError)) throw error;
    writeText(Deno.stderr, `codex-swarm: ${error.message}\n`);
    return 2;
  }
}

function chooseOffered({ toolChoice }: Config): readonly Tool[] {
  checkToolChoice(toolChoice, { toolsets: TOOLSETS, tools: tools.map(({ name }) => name) });
  const offered = chooseTools(tools, toolChoice);
  if (offered.length > 0) return offered;
  throw new ConfigError("No tool is left: --toolsets, --tools, --exclude-tools and --read-only leave none");
}

async function run(config: Config, offered: readonly Tool[]): Promise<number> {
  // What only some start is loaded by them: each start under a client counts.
  switch (config.command) {
    case "help": {
      const { helpText } = await import("./src/cli/help.ts");
      writeText(Deno.stdout, helpText(version));
      return 0;
    }
    case "version":
      writeText(Deno.stdout, `codex-swarm ${version}\n`);
      return 0;
    case "doctor": {
      const { runDoctor } = await import("./src/cli/doctor.ts");
      return await runDoctor({
        ...config,
        version,
        ...(config.codex.path === undefined ? {} : { codexPath: config.codex.path }),
        cacheFile: probeCache(config),
        log: createLog({ level: config.logLevel }),
        write: (text) => writeText(Deno.stdout, text),
      });
    }
    case "install":
    case "uninstall":
      return await changeClient(config, program);
    case "mcp-server":
      await serve(config, { program, offered, insist: () => Deno.exit(1) });
      return 0;
  }
}

if (import.meta.main) Deno.exit(await main());
