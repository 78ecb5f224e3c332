/** Reads what the user's Codex configuration says. */
import { basename, dirname, join, relative, sep } from "node:path";
import {
  type CodexConfigFacts,
  type ConfigLayer,
  decideConfig,
  oldProfile,
  parseConfig,
  parseOverrides,
  trustOf,
} from "./config_layers.ts";

/** Options of {@linkcode readCodexConfig}. */
export interface CodexConfigOptions {
  readonly codexHome: string;
  /** Absolute. */
  readonly cwd: string;
  /** The repository around `cwd`: the top of its working tree and its common `.git` directory. */
  readonly repository: { readonly top: string; readonly commonDir: string } | null;
  /** `-p NAME`. */
  readonly profile?: string;
  /** The server's `-c key=value`. */
  readonly serverConfig: readonly string[];
  /** The call's `config`, flattened into `key=value`. */
  readonly callConfig?: readonly string[];
  /** The machine's own layer. Default `/etc/codex/config.toml`. */
  readonly systemFile?: string;
}

type FileLayer = { readonly layer: ConfigLayer } | { readonly note: string } | null;

/** Reads all layers and tells what they come to; what cannot be read becomes a note. */
export async function readCodexConfig(options: CodexConfigOptions): Promise<CodexConfigFacts> {
  const { codexHome, cwd, repository, profile } = options;
  const files = await Promise.all([
    readLayer(options.systemFile ?? "/etc/codex/config.toml", "config.toml"),
    readLayer(join(codexHome, "config.toml"), "config.toml"),
    profile === undefined ? null : readLayer(join(codexHome, `${profile}.config.toml`), "profile"),
  ]);
  const user = files[1];
  const old = user !== null && user !== undefined && "layer" in user ? oldProfile(user.layer.values, profile) : null;
  const shared = [...layersOf(files), ...(old === null ? [] : [old])];
  const own: readonly ConfigLayer[] = [
    { source: "server config", values: parseOverrides(options.serverConfig) },
    { source: "call config", values: parseOverrides(options.callConfig ?? []) },
  ];
  const trust = trustOf([...shared, ...own], await trustPlaces(cwd, repository));
  const projectFiles = trust === "trusted" ? await readProjectLayers(cwd, repository?.top ?? cwd) : [];
  return decideConfig([...shared, ...layersOf(projectFiles), ...own], {
    trust,
    notes: [...notesOf(files), ...notesOf(projectFiles)],
  });
}

/** A linked worktree is trusted like its main one. */
async function trustPlaces(cwd: string, repository: CodexConfigOptions["repository"]): Promise<readonly string[]> {
  const places = [cwd, await realPathOf(cwd)];
  if (repository !== null) {
    const { top, commonDir } = repository;
    places.push(top, await realPathOf(top));
    if (basename(commonDir) === ".git") places.push(dirname(commonDir));
  }
  return [...new Set(places)];
}

/** A trusted project's own files, the nearest one strongest. */
async function readProjectLayers(cwd: string, top: string): Promise<readonly FileLayer[]> {
  const folders = [top];
  for (const name of relative(top, cwd).split(sep)) {
    if (name === "..") return await readProjectLayers(cwd, cwd);
    if (name !== "") folders.push(join(folders.at(-1) ?? top, name));
  }
  return await Promise.all(folders.map((folder) => readLayer(join(folder, ".codex/config.toml"), "config.toml")));
}

async function readLayer(path: string, source: ConfigLayer["source"]): Promise<FileLayer> {
  try {
    return { layer: { source, values: parseConfig(await Deno.readTextFile(path)) } };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    const reason = error instanceof Error ? error.message.split("\n")[0] ?? "" : "";
    return { note: `Cannot read ${path}: ${reason}.` };
  }
}

function layersOf(files: readonly FileLayer[]): readonly ConfigLayer[] {
  return files.flatMap((file) => file !== null && "layer" in file ? [file.layer] : []);
}

function notesOf(files: readonly FileLayer[]): readonly string[] {
  return files.flatMap((file) => file !== null && "note" in file ? [file.note] : []);
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    return path;
  }
}
