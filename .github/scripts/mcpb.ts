/**
 * `mcpb.ts --version V --target TARGET --program FILE --out DIR`: makes the MCP bundle of one platform with the
 * official packer, which holds its manifest against the format. Needs `npx`.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mcpbManifest, mcpbName, mcpbProgram } from "../packaging/mcpb.ts";
import { readZip, type ZipFile } from "../packaging/read_zip.ts";
import { exitCodeOf } from "./exit_code.ts";
import { type Target, TARGETS } from "./release_names.ts";

/** The packer as npm names it. */
export const PACKER = "@anthropic-ai/mcpb@2.1.2";

/** A bundle that is made on Windows can tell nobody which of its files is a program. */
const HAS_MODES = Deno.build.os !== "windows";

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

/**
 * Makes a bundle and gives its path. Throws with what the packer said, and where the bundle holds anything else than was
 * to be packed: the packer and what it depends on come from npm.
 */
export async function makeMcpb({ version, target, program, out, packer }: McpbOptions): Promise<string> {
  const [command, ...args] = packer ?? [Deno.build.os === "windows" ? "npx.cmd" : "npx", "-y", PACKER];
  const manifest = `${JSON.stringify(mcpbManifest(version, target), null, 2)}\n`;
  const contents = new Map<string, ZipFile>([
    ["manifest.json", { bytes: new TextEncoder().encode(manifest), mode: 0o644 }],
    [mcpbProgram(target), { bytes: await Deno.readFile(program), mode: 0o755 }],
    ["LICENSE", { bytes: await Deno.readFile(join(ROOT, "LICENSE")), mode: 0o644 }],
    ["README.md", { bytes: await Deno.readFile(join(ROOT, "README.md")), mode: 0o644 }],
  ]);
  const directory = await Deno.makeTempDir({ prefix: "codex_swarm_mcpb_" });
  try {
    const [inside, packed] = [join(directory, "inside"), join(directory, "packed.mcpb")];
    for (const [name, { bytes, mode }] of contents) {
      const path = join(inside, ...name.split("/"));
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, bytes);
      if (HAS_MODES) await Deno.chmod(path, mode);
    }
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args, "pack", inside, packed],
      stdin: "null",
    }).output();
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim()).join("\n").trim();
    if (!success) throw new Error(`Cannot make ${mcpbName(version, target)}: ${said}`);
    await holdAgainst(packed, contents);
    await Deno.mkdir(out, { recursive: true });
    const file = join(out, mcpbName(version, target));
    await Deno.copyFile(packed, file);
    return file;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Throws unless the zip has just these contents. */
async function holdAgainst(file: string, contents: ReadonlyMap<string, ZipFile>): Promise<void> {
  const packed = await readZip(await Deno.readFile(file));
  const wrong: string[] = [];
  for (const name of new Set([...packed.keys(), ...contents.keys()])) {
    const [is, expected] = [packed.get(name), contents.get(name)];
    const isSame = is !== undefined && expected !== undefined && (!HAS_MODES || is.mode === expected.mode) &&
      await digest(is.bytes) === await digest(expected.bytes);
    if (!isSame) wrong.push(name);
  }
  if (wrong.length === 0) return;
  throw new Error(`Cannot use what the packer has made: ${wrong.join(", ")} is not what was to be packed.`);
}

async function digest(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toHex();
}

async function main(): Promise<void> {
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
}

if (import.meta.main) Deno.exit(await exitCodeOf(main));
