import assert from "node:assert/strict";
import { checkPapers, checkTag, releaseNotes } from "../../.github/scripts/release_notes.ts";
import manifest from "../../deno.json" with { type: "json" };

const CHANGELOG = `# Changelog

All that a user notices.

## Unreleased

- Something to come.

## [1.2.10] - 2026-03-01

### Added

- Ten.

## 1.2.1 - 2026-02-01

- One.

## 1.2.0
`;

Deno.test("releaseNotes() gives the section of one version and nothing else", () => {
  assert.equal(releaseNotes(CHANGELOG, "1.2.10"), "### Added\n\n- Ten.\n");
  assert.equal(releaseNotes(CHANGELOG, "1.2.1"), "- One.\n");
  assert.throws(() => releaseNotes(CHANGELOG, "1.2"), /^Error: Cannot find "## 1\.2" in the changelog: .*Unreleased/);
  assert.throws(() => releaseNotes(CHANGELOG, "1.2.0"), /^Error: Cannot tell what is new in 1\.2\.0/);
});

Deno.test("checkTag() refuses every tag but that of the version", () => {
  checkTag("v1.2.1", "1.2.1");
  checkTag(`v${manifest.version}`);
  for (const tag of ["1.2.1", "v1.2.10", "v1.2", "V1.2.1", ""]) {
    assert.throws(() => checkTag(tag, "1.2.1"), /deno\.json has version 1\.2\.1, whose tag is v1\.2\.1\.$/, tag);
  }
});

Deno.test("checkPapers() lets no paper into a release that says that there is none", async () => {
  checkPapers({ "README.md": "This is 1.2.3.\n" });
  for (
    const text of ["This is 1.2.3, not released\nyet: it runs from its sources.", "The newest; there is none yet."]
  ) {
    assert.throws(() => checkPapers({ "README.md": "", "SECURITY.md": text }), /Cannot release: SECURITY\.md says "/);
  }
  // As this repository's do, until the first one.
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assert.deepEqual([...readme.matchAll(/^This is (\d+\.\d+\.\d+)\b/gm)].map(([, version]) => version), [
    manifest.version,
  ]);
});

Deno.test("this changelog has notes of the version to come, under its name or as unreleased", async () => {
  const changelog = await Deno.readTextFile(new URL("../../.github/CHANGELOG.md", import.meta.url));
  const version = changelog.includes(`## ${manifest.version}`) ? manifest.version : "Unreleased";
  assert.match(releaseNotes(changelog, version), /^### Added$/m);
});
