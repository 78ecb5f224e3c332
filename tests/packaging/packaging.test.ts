/** What package managers and registries are given of a release: its text, and that each sum and the version matter. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { DESCRIPTION } from "../../.github/packaging/about.ts";
import { mcpbManifest } from "../../.github/packaging/mcpb.ts";
import { packagingFiles } from "../../.github/scripts/packaging.ts";
import { TARGETS } from "../../.github/scripts/release_names.ts";
import { exampleSums, sumsText } from "../helpers/example_sums.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

const SCRIPT = fileURLToPath(new URL("../../.github/scripts/packaging.ts", import.meta.url));
const FILES = ["codex-swarm.rb", "codex-swarm.json", "server.json"] as const;

function files(version: string, sums = exampleSums(version)): Readonly<Record<string, string>> {
  return packagingFiles(version, sumsText(sums));
}

for (const name of FILES) {
  Deno.test(`${name} of a release is as its snapshot`, async (t) => {
    await t.assertSnapshot(files("1.2.3")[name], { path: `../snapshots/packaging/${name}.snap`, name });
  });
}

for (const target of ["linux-x64", "windows-arm64"] as const) {
  Deno.test(`the manifest of the bundle for ${target} is as its snapshot`, async (t) => {
    // The tools have snapshots of their own.
    const { tools: _, ...manifest } = mcpbManifest("1.2.3", target);
    await t.assertSnapshot(manifest, { path: `../snapshots/packaging/mcpb_${target}.snap`, name: target });
  });
}

Deno.test("each sum of a release stands in one file, once", () => {
  const sums = exampleSums("1.2.3");
  const before = files("1.2.3");
  for (const [name, sum] of sums) {
    const other = "0".repeat(64);
    const after = files("1.2.3", new Map([...sums, [name, other]]));
    const changed = FILES.filter((file) => after[file] !== before[file]);
    const [expected] = FILES.filter((file) =>
      name.endsWith(".mcpb") ? file === "server.json" : file === (name.endsWith(".zip") ? FILES[1] : FILES[0])
    );
    assert.deepEqual(changed, [expected], name);
    const [file = ""] = changed;
    assert.equal(after[file]?.replace(other, sum), before[file], name);
    // Beside the address of the same file.
    assert.ok(new RegExp(`/${name}",?\\s[^/]*"${other}"`).test(after[file] ?? ""), name);
  }
});

Deno.test("another version changes every file, and leaves nothing of the first", () => {
  const [one, two] = [files("1.2.3"), files("4.5.6-rc.1")];
  for (const name of FILES) {
    assert.notEqual(one[name], two[name]);
    assert.doesNotMatch(two[name] ?? "", /1\.2\.3/);
    assert.match(two[name] ?? "", /4\.5\.6-rc\.1/);
  }
});

Deno.test("packagingFiles() refuses sums that are not those of the version", () => {
  for (const name of exampleSums("1.2.3").keys()) {
    const sums = exampleSums("1.2.3");
    sums.delete(name);
    assert.throws(() => files("1.2.3", sums), new RegExp(`Cannot find ${name} in the sums`));
  }
  assert.throws(
    () => files("1.2.4", exampleSums("1.2.3")),
    /Cannot find codex-swarm-1\.2\.4-.* they are of codex-swarm-1/,
  );
  for (const version of ["v1.2.3", "1.2", "latest", ""]) {
    assert.throws(() => files(version), /expected one such as 1\.2\.3/);
  }
  const [line = ""] = sumsText(exampleSums("1.2.3")).split("\n");
  for (const text of [line.slice(1), line.replace("  ", " "), line.replace("  ", "  ../"), line.toUpperCase()]) {
    assert.throws(() => packagingFiles("1.2.3", text), /Cannot read the sums/);
  }
  assert.throws(() => packagingFiles("1.2.3", `${line}\n${line}\n`), /stands there twice/);
});

Deno.test("packaging.ts writes the files, or none", async () => {
  await using directory = await tempDirectory();
  const [sums, out] = [join(directory.path, "SHA256SUMS"), join(directory.path, "out")];
  const run = async (version: string): Promise<[number, string]> => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write", SCRIPT],
        ...["--version", version, "--sums", sums, "--out", out],
      ],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    return [code, new TextDecoder().decode(stderr)];
  };
  await Deno.writeTextFile(sums, sumsText(exampleSums("1.2.3")));
  const [code, stderr] = await run("1.2.4");
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot find codex-swarm-1\.2\.4-/);
  assert.deepEqual(namesIn(directory.path), ["SHA256SUMS"]);
  assert.deepEqual(await run("1.2.3"), [0, ""]);
  assert.deepEqual(namesIn(out), [...FILES].sort());
  for (const name of FILES) assert.equal(await Deno.readTextFile(join(out, name)), files("1.2.3")[name]);
});

Deno.test("the description is one that Homebrew and the registry take", () => {
  assert.ok(DESCRIPTION.length <= 80);
  assert.doesNotMatch(DESCRIPTION, /^(an?|the) |codex-swarm|\.$/i);
});

const input = z.strictObject({
  name: z.string().regex(/^CODEX_SWARM_[A-Z_]+$/),
  description: z.string().min(1),
  format: z.enum(["string", "number", "boolean", "filepath"]),
  isRequired: z.boolean(),
  default: z.string().optional(),
  choices: z.array(z.string()).optional(),
});

/**
 * Written by hand, no package on npm has the original: of https://static.modelcontextprotocol.io/schemas/2025-12-11/
 * server.schema.json what an entry with bundles uses, and what the official registry asks of it beyond that.
 */
const serverJson = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z.string().min(3).max(200).regex(/^io\.github\.[a-zA-Z0-9-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.string().max(255).regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
  repository: z.strictObject({ url: z.url(), source: z.literal("github") }),
  websiteUrl: z.url(),
  packages: z.array(z.strictObject({
    registryType: z.literal("mcpb"),
    // Downloaded from a release on GitHub, and with "mcp" in it.
    identifier: z.string().regex(/^https:\/\/github\.com\/[^/]+\/[^/]+\/releases\/download\/v[^/]+\/[^/]+\.mcpb$/),
    version: z.string().min(1),
    fileSha256: z.string().regex(/^[a-f0-9]{64}$/),
    transport: z.strictObject({ type: z.literal("stdio") }),
    environmentVariables: z.array(input).min(1),
  })).length(TARGETS.length),
});

Deno.test("server.json is what the MCP registry takes", () => {
  const entry = serverJson.parse(JSON.parse(files("1.2.3")["server.json"] ?? ""));
  for (const { version, identifier } of entry.packages) {
    assert.equal(version, entry.version);
    assert.ok(identifier.startsWith(`${entry.repository.url}/releases/download/v${entry.version}/`));
  }
  assert.equal(new Set(entry.packages.map(({ identifier }) => identifier)).size, TARGETS.length);
});
