/**
 * `release_notes.ts TAG`: prints what the changelog says of the version that the tag is of. Exit code 1 where the tag is
 * not that of deno.json's version, the changelog has nothing under it, or a paper still says that there is no release.
 */
import { exitCodeOf } from "./exit_code.ts";
import { VERSION } from "./release_names.ts";

/** Throws unless the tag is `v` and the version. */
export function checkTag(tag: string, version: string = VERSION): void {
  if (tag !== `v${version}`) {
    throw new Error(`Cannot release ${tag}: deno.json has version ${version}, whose tag is v${version}.`);
  }
}

/** The section of a version, without its heading. Throws where there is none, or nothing in it. */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => /^\[?([^\]\s]+)/.exec(text)?.[1] === version);
  if (section === undefined) {
    throw new Error(
      `Cannot find "## ${version}" in the changelog: give that name, and the date, to what stands under "## Unreleased".`,
    );
  }
  const notes = section.slice(section.indexOf("\n") + 1).trim();
  if (notes === "") throw new Error(`Cannot tell what is new in ${version}: its section of the changelog is empty.`);
  return `${notes}\n`;
}

/** Throws where a paper says that nothing is released: it would be published with a release. */
export function checkPapers(papers: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(papers)) {
    const [said] = /[^:\n]*\b(?:not\s+released\s+yet|there\s+is\s+none\s+yet)\b/i.exec(text) ?? [];
    if (said !== undefined) {
      throw new Error(
        `Cannot release: ${name} says "${said.replaceAll(/\s+/g, " ").trim()}". Say what holds from now on.`,
      );
    }
  }
}

async function main(): Promise<void> {
  const read = (path: string): Promise<string> => Deno.readTextFile(new URL(path, import.meta.url));
  checkTag(Deno.args[0] ?? "");
  checkPapers({ "README.md": await read("../../README.md"), "SECURITY.md": await read("../SECURITY.md") });
  const notes = releaseNotes(await read("../CHANGELOG.md"), VERSION);
  Deno.stdout.writeSync(new TextEncoder().encode(notes));
}

if (import.meta.main) Deno.exit(await exitCodeOf(main));
