/** `propose.ts` with a real repository on this machine, and a `gh` that writes down what it is asked. */
import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeExecutable } from "../helpers/executable.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const SCRIPT = fileURLToPath(new URL("../../.github/scripts/propose.ts", import.meta.url));
const ignore = Deno.build.os === "windows";

interface Tap extends AsyncDisposable {
  readonly repo: TempRepo;
  propose(content: string, ...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** What `gh` was asked, a line for each time. */
  asked(): string[];
  /** The pull requests that `gh` tells of. */
  setOpen(urls: string): void;
}

async function makeTap(): Promise<Tap> {
  const stack = new AsyncDisposableStack();
  const repo = stack.use(await tempRepo({ files: { "Formula/codex-swarm.rb": "old\n", "README.md": "# Tap\n" } }));
  const directory = stack.use(await tempDirectory()).path;
  const [asked, open, file] = ["asked", "open", "codex-swarm.rb"].map((name) => join(directory, name));
  assert.ok(asked !== undefined && open !== undefined && file !== undefined);
  const answers = `case "$1 $2" in "pr list") cat '${open}' ;; "pr create") echo https://example.com/pull/1 ;; esac`;
  writeExecutable(join(directory, "gh"), `#!/bin/sh\necho "$*" >>'${asked}'\n${answers}\n`);
  Deno.writeTextFileSync(asked, "");
  Deno.writeTextFileSync(open, "");
  return {
    repo,
    asked: () => Deno.readTextFileSync(asked).trimEnd().split("\n").filter((line) => line !== ""),
    setOpen: (urls) => Deno.writeTextFileSync(open, urls),
    propose: async (content, ...args) => {
      Deno.writeTextFileSync(file, content);
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write", "--allow-run", SCRIPT],
          ...[
            "--version",
            "1.2.3",
            "--file",
            file,
            "--path",
            "Formula/codex-swarm.rb",
            "--repository",
            "o/homebrew-tap",
          ],
          ...["--remote", `file://${repo.path}`, ...args],
        ],
        env: {
          PATH: `${directory}${delimiter}${Deno.env.get("PATH")}`,
          NO_COLOR: "1",
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_CONFIG_NOSYSTEM: "1",
        },
        stdin: "null",
      }).output();
      return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test({ name: "propose.ts shows with --dry-run what it would propose, and changes nothing", ignore }, async () => {
  await using tap = await makeTap();
  const before = await tap.repo.git("for-each-ref");
  const { code, stdout, stderr } = await tap.propose("new\n", "--dry-run");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Would propose to o\/homebrew-tap, on main:\n\ncodex-swarm 1\.2\.3\n/);
  assert.match(stdout, /^-old\n\+new$/m);
  assert.deepEqual([await tap.repo.git("for-each-ref"), tap.asked()], [before, []]);
});

Deno.test({ name: "propose.ts makes one branch and one pull request, also when it is run again", ignore }, async () => {
  await using tap = await makeTap();
  const main = await tap.repo.git("rev-parse", "main");
  const first = await tap.propose("new\n");
  assert.deepEqual(first, { code: 0, stdout: "Proposed: https://example.com/pull/1\n", stderr: "" });
  tap.setOpen("https://example.com/pull/1\n");
  const second = await tap.propose("newer\n");
  assert.deepEqual(second.stdout, "Brought the proposal up to date: https://example.com/pull/1\n");
  assert.equal(await tap.repo.git("rev-parse", "main"), main);
  assert.equal(await tap.repo.git("show", "codex-swarm-1.2.3:Formula/codex-swarm.rb"), "newer");
  assert.equal(await tap.repo.git("diff", "--name-only", "main", "codex-swarm-1.2.3"), "Formula/codex-swarm.rb");
  assert.equal(await tap.repo.git("log", "--format=%s", "main..codex-swarm-1.2.3"), "codex-swarm 1.2.3");
  const [list, create, again] = tap.asked();
  const head = "--head codex-swarm-1.2.3";
  assert.match(list ?? "", new RegExp(`^pr list ${head} --state open .*--repo o/homebrew-tap$`));
  assert.match(
    create ?? "",
    new RegExp(`^pr create ${head} --base main --title codex-swarm 1\\.2\\.3 --body .*--repo o/homebrew-tap$`),
  );
  assert.deepEqual([again, tap.asked().length], [list, 3]);
});

Deno.test({ name: "propose.ts proposes nothing that is there already", ignore }, async () => {
  await using tap = await makeTap();
  const { code, stdout } = await tap.propose("old\n");
  assert.deepEqual([code, stdout], [0, "o/homebrew-tap has Formula/codex-swarm.rb of codex-swarm 1.2.3 already.\n"]);
  assert.deepEqual([await tap.repo.git("branch", "--format=%(refname:short)"), tap.asked()], ["main", []]);
});

Deno.test({ name: "propose.ts says what git said", ignore }, async () => {
  await using tap = await makeTap();
  const { code, stderr } = await tap.propose("new\n", "--remote", "file:///nowhere");
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot run git clone: .*\/nowhere/s);
});
