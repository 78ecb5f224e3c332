/** What the demo's three agents are asked to do, and what they do when Codex is scripted. */

/** One agent of the demo. */
export interface DemoAgent {
  readonly label: string;
  /** The prompt for a real Codex. */
  readonly prompt: string;
  /** Steps of the scripted Codex, see `tests/fixtures/fake_codex`; it pauses between them. */
  readonly script: readonly string[];
}

/** The repository that they work on: a program that adds numbers. */
export const DEMO_FILES: Readonly<Record<string, string>> = {
  "README.md": "# add\n\nAdds numbers.\n",
  "add.sh": '#!/bin/sh\ntotal=0\nfor number do\n  total=$((total + number))\ndone\necho "$total"\n',
};

export const DEMO_AGENTS: readonly DemoAgent[] = [
  {
    label: "tests",
    prompt: "Write a small test for add.sh into test_add.sh (POSIX sh) and run it. Change no other file.",
    script: [
      "fake:reason(I read the program before I test it) fake:run(cat add.sh)",
      "fake:reason(Three cases are enough: no number, one, several)",
      'fake:write(test_add.sh, [ "$(sh add.sh)" = 0 ] && [ "$(sh add.sh 5)" = 5 ] && [ "$(sh add.sh 1 2 3)" = 6 ] && echo pass)',
      "fake:run(sh test_add.sh)",
      "fake:say(test_add.sh checks three cases; all pass.)",
    ],
  },
  {
    label: "docs",
    prompt: "Write USAGE.md, which shows a newcomer how to call add.sh, with real output. Change no other file.",
    script: [
      "fake:reason(The examples must be real, so I run them) fake:run(sh add.sh 1 2 3)",
      "fake:run(sh add.sh)",
      "fake:reason(Now the text)",
      "fake:write(USAGE.md, # How to call add.sh\n\n    $ sh add.sh 1 2 3\n    6\n)",
      "fake:say(USAGE.md shows one call and its output.)",
    ],
  },
  {
    label: "changes",
    prompt: "Write CHANGELOG.md from the git history, newest first. Change no other file.",
    script: [
      "fake:reason(The history says what changed) fake:run(git log --format=%s)",
      "fake:run(git log -1 --format=%h)",
      "fake:reason(One commit makes one line)",
      "fake:write(CHANGELOG.md, # Changes\n\n- First commit\n)",
      "fake:say(CHANGELOG.md has one entry.)",
    ],
  },
];
