/**
 * `mcpb.ts --version V --target TARGET --program FILE --out DIR`: makes the MCP bundle of one platform with the
 * official packer, which holds its manifest against the format. Needs `npx`.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mcpbManifest, mcpbName, mcpbProgram } from "../packaging/mcpb.ts";
import { type Target, TARGETS } from "./release_names.ts";

/** The packer as npm names it. */
export const PACKER = "@anthropic-ai/mcpb@2.1.2";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface McpbOptions {
  readonly version: string;
  readonly target: Target;
  /** The program for that platform. */
  readonly program: string;
  /** The directory that the bundle goes into; made if it is not there. */
  readonly out: string;
  /** The packer's command; default by `npx`. */
  readonly packer?: readonly [string, ...string[]];
}

/** Makes a bundle and gives its path. Throws with what the packer said. */
export async function makeMcpb({ version, target, program, out, packer }: McpbOptions): Promise<string> {
  const [command, ...args] = packer ?? [Deno.build.os === "windows" ? "npx.cmd" : "npx", "-y", PACKER];
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_mcpb_" });
  try {
    const inside = join(directory, ...mcpbProgram(target).split("/"));
    await Deno.mkdir(dirname(inside));
    await Deno.copyFile(program, inside);
    if (Deno.build.os !== "windows") await Deno.chmod(inside, 0o755);
    for (const name of ["LICENSE", "README.md"]) await Deno.copyFile(join(ROOT, name), join(directory, name));
    const manifest = JSON.stringify(mcpbManifest(version, target), null, 2);
    await Deno.writeTextFile(join(directory, "manifest.json"), `${manifest}\n`);
    await Deno.mkdir(out, { recursive: true });
    const file = join(out, mcpbName(version, target));
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args, "pack", directory, file],
      stdin: "null",
    }).output();
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n").trim();
    if (!success) throw new Error(`Cannot make ${mcpbName(version, target)}: ${said}`);
    return file;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function main(): Promise<number> {
  try {
    const { values: { version, target: named, program, out } } = parseArgs({
      args: Deno.args,
      options: {
        version: { type: "string" },
        target: { type: "string" },
        program: { type: "string" },
        out: { type: "string" },
      },
    });
    const target = TARGETS.find((one) => one === named);
    if (version === undefined || target === undefined || program === undefined || out === undefined) {
      throw new Error(`Expected --version VERSION --target ${TARGETS.join("|")} --program FILE --out DIR.`);
    }
    const file = await makeMcpb({ version, target, program, out });
    Deno.stdout.writeSync(new TextEncoder().encode(`${file}\n`));
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
