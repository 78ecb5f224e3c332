/**
 * `release_notes.ts TAG`: prints what the changelog says of the version that the tag is of. Exit code 1 where the tag is
 * not that of deno.json's version, or the changelog has nothing under it.
 */
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

if (import.meta.main) {
  const changelog = await Deno.readTextFile(new URL("../CHANGELOG.md", import.meta.url));
  try {
    checkTag(Deno.args[0] ?? "");
    Deno.stdout.writeSync(new TextEncoder().encode(releaseNotes(changelog, VERSION)));
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`${error instanceof Error ? error.message : String(error)}\n`));
    Deno.exit(1);
  }
}
