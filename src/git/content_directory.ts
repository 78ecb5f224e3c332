/**
 * Git directories of the supervisor's own, in which everything runs that reads or writes contents of files: they share
 * the objects of a repository, and nothing else. No filter, diff or merge driver, hook or textconv that stands in any
 * configuration is known there, whoever has put it there.
 */
import { join } from "node:path";
import type { Git } from "./git.ts";

/** What decides about the bytes of a file besides attributes, or about how files are looked at. */
const TAKEN_OVER =
  "^core\\.(autocrlf|eol|filemode|ignorecase|symlinks|precomposeunicode|protectntfs|protecthfs|bigfilethreshold|longpaths)$";

/** `raw` takes every file as it is, byte by byte; `text` converts line ends as the repository does. */
export type ContentMode = "raw" | "text";

/** Attributes that change bytes on their way; here they rank above those in the tree. */
const RAW_ATTRIBUTES = "* -text -eol -crlf -ident -filter -working-tree-encoding\n";

/** A repository, by its common `.git` directory. */
export interface ContentOptions {
  readonly commonDir: string;
  /** Holds the directories of one repository; made when it is missing. */
  readonly directory: string;
}

/** Of the section `core`: names are kept that other systems cannot have. */
const ANY_NAME = "\tprotectNTFS = false\n\tprotectHFS = false\n";

/** Makes or refreshes the directories of a repository; gives the variables with which git uses them. */
export async function openContent(
  git: Git,
  { commonDir, directory }: ContentOptions,
): Promise<(mode: ContentMode) => Readonly<Record<string, string>>> {
  const settings = await readSettings(git, commonDir);
  const excludes = await readExcludes(git, commonDir);
  for (const mode of ["raw", "text"] as const) {
    const path = join(directory, mode);
    for (const name of ["objects", "refs", "info"]) {
      await Deno.mkdir(join(path, name), { recursive: true, mode: 0o700 });
    }
    await replace(join(path, "HEAD"), "ref: refs/heads/none\n");
    await replace(join(path, "config"), settings.common + (mode === "raw" ? ANY_NAME : settings.text));
    await replace(join(path, "info", "attributes"), mode === "raw" ? RAW_ATTRIBUTES : "* -filter\n");
    await replace(join(path, "info", "exclude"), excludes);
  }
  return (mode) => ({
    GIT_DIR: join(directory, mode),
    GIT_OBJECT_DIRECTORY: join(commonDir, "objects"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
  });
}

interface ContentSettings {
  readonly common: string;
  /** Only where line ends are converted. */
  readonly text: string;
}

async function readSettings(git: Git, commonDir: string): Promise<ContentSettings> {
  const { stdout } = await git.run([`--git-dir=${commonDir}`, "config", "-z", "--get-regexp", TAKEN_OVER]);
  const format = await git.text([`--git-dir=${commonDir}`, "rev-parse", "--show-object-format"]);
  const extension = format === "sha1" ? "" : `[extensions]\n\tobjectFormat = ${format}\n`;
  const lines = { common: "", text: "" };
  for (const field of stdout.split("\0")) {
    const [, name, value] = /^core\.([a-z]+)\n([\w.-]*)$/.exec(field) ?? [];
    if (name === undefined || value === undefined) continue;
    lines[name === "autocrlf" || name === "eol" ? "text" : "common"] += `\t${name} = ${value}\n`;
  }
  const version = extension === "" ? 0 : 1;
  const common = `${extension}[core]\n\trepositoryFormatVersion = ${version}\n\tbare = false\n${lines.common}`;
  return { common, text: lines.text };
}

/** What the user ignores, beside what the tree's own `.gitignore` files say. */
async function readExcludes(git: Git, commonDir: string): Promise<string> {
  const { stdout } = await git.run([`--git-dir=${commonDir}`, "config", "--type=path", "core.excludesFile"]);
  const files = [stdout.trimEnd() || git.defaultExcludes, join(commonDir, "info", "exclude")];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file).catch(() => "")));
  return texts.map((text) => text.endsWith("\n") || text === "" ? text : `${text}\n`).join("");
}

/** Another server may be at it: what is there is always whole. */
async function replace(path: string, text: string): Promise<void> {
  if (await Deno.readTextFile(path).catch(() => null) === text) return;
  const aside = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(aside, text, { mode: 0o600 });
  await Deno.rename(aside, path);
}
