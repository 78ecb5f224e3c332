import assert from "node:assert/strict";
import {
  nativeCandidates,
  nvmFolders,
  packageRootOf,
  usualFolders,
  wrappedLauncher,
} from "../../src/codex/install_layout.ts";

const isWindows = Deno.build.os === "windows";

Deno.test({ name: "usualFolders() lists them in order, nvm's newest Node first", ignore: isWindows }, () => {
  const nvm = nvmFolders("/h", ["v8.0.0", "v22.1.0", "v20.11.0"]);
  assert.deepEqual(usualFolders({ os: "linux", home: "/h", nvm }), [
    "/h/.local/bin",
    "/h/.npm-global/bin",
    "/h/.volta/bin",
    "/h/.bun/bin",
    "/h/.cargo/bin",
    "/h/.nvm/versions/node/v22.1.0/bin",
    "/h/.nvm/versions/node/v20.11.0/bin",
    "/h/.nvm/versions/node/v8.0.0/bin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/h/.local/share/mise/shims",
  ]);
});

Deno.test("packageRootOf() knows npm's launcher only", () => {
  assert.equal(packageRootOf("/n/@openai/codex/bin/codex.js"), "/n/@openai/codex");
  assert.equal(packageRootOf("/n/codex/bin/codex.js"), null);
  assert.equal(packageRootOf("/n/@openai/codex/bin/codex"), null);
});

Deno.test({ name: "wrappedLauncher() reads the wrappers of pnpm and of npm on Windows", ignore: isWindows }, () => {
  const pnpm = '#!/bin/sh\nexec node  "$basedir/global/5/node_modules/@openai/codex/bin/codex.js" "$@"\n';
  assert.equal(wrappedLauncher("/p/codex", pnpm), "/p/global/5/node_modules/@openai/codex/bin/codex.js");
  const npm = '@ECHO off\r\n"%_prog%"  "%dp0%\\node_modules\\@openai\\codex\\bin\\codex.js" %*\r\n';
  assert.equal(wrappedLauncher("/npm/codex.cmd", npm), "/npm/node_modules/@openai/codex/bin/codex.js");
  assert.equal(wrappedLauncher("/p/codex", '#!/bin/sh\nexec other "$@"\n'), null);
});

Deno.test({ name: "nativeCandidates() covers nested, hoisted and older layouts", ignore: isWindows }, () => {
  const candidates = nativeCandidates("/g/node_modules/@openai/codex", { os: "linux", arch: "x86_64" });
  const triple = "vendor/x86_64-unknown-linux-musl";
  for (
    const path of [
      `/g/node_modules/@openai/codex/node_modules/@openai/codex-linux-x64/${triple}/bin/codex`,
      `/g/node_modules/@openai/codex-linux-x64/${triple}/bin/codex`,
      `/g/node_modules/@openai/codex-linux-x64/${triple}/codex/codex`,
      `/g/node_modules/@openai/codex/${triple}/codex/codex`,
    ]
  ) assert.ok(candidates.includes(path), path);
  assert.equal(nativeCandidates("/x", { os: "freebsd", arch: "x86_64" }).length, 0);
});

const platforms = [
  ["darwin", "aarch64", "codex-darwin-arm64/vendor/aarch64-apple-darwin/bin/codex"],
  ["linux", "aarch64", "codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex"],
  ["windows", "x86_64", "codex-win32-x64/vendor/x86_64-pc-windows-msvc/bin/codex.exe"],
] as const;

for (const [os, arch, end] of platforms) {
  Deno.test({ name: `nativeCandidates() names the package of ${os} ${arch}`, ignore: isWindows }, () => {
    const path = `/r/node_modules/@openai/${end}`;
    assert.ok(nativeCandidates("/r", { os, arch }).includes(path));
  });
}
