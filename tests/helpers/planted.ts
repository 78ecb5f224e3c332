/** What an agent might plant for git to run outside its sandbox. */
import { join } from "node:path";

const HOOKS = [
  "post-commit",
  "post-checkout",
  "reference-transaction",
  "pre-commit",
  "post-index-change",
  "post-merge",
];

/**
 * Writes a shell script for an agent that may write anywhere: hooks, drivers and filters in the repository at `checkout`
 * and in one inside its own worktree, each of which notes in `ran` that it was run.
 */
export async function plantingScript(
  { directory, checkout, ran }: { readonly directory: string; readonly checkout: string; readonly ran: string },
): Promise<string> {
  const note = (what: string): string => `echo ${what} >>${ran}`;
  const settings = [
    ...["clean", "smudge", "process"].map((kind) => `filter.evil.${kind} '${note("filter")}; cat'`),
    `diff.evil.textconv '${note("textconv")}; cat'`,
    `diff.evil.command '${note("diff")}'`,
    `merge.evil.driver '${note("merge")}'`,
    `core.fsmonitor '${note("fsmonitor")}'`,
    `core.sshCommand '${note("ssh")}'`,
    `core.pager '${note("pager")}'`,
    `core.editor '${note("editor")}'`,
    `credential.helper '!${note("credential")}'`,
    `uploadpack.packObjectsHook '${note("pack")}'`,
    `gpg.program ${directory}/gpg`,
    "commit.gpgSign true",
  ];
  const script = join(directory, "plant.sh");
  await Deno.writeTextFile(
    script,
    `set -e
plant() {
  for hook in ${HOOKS.join(" ")}; do
    printf '#!/bin/sh\\necho %s >>${ran}\\n' $hook >"$1/.git/hooks/$hook"
    chmod +x "$1/.git/hooks/$hook"
  done
${settings.map((setting) => `  git -C "$1" config ${setting}`).join("\n")}
}
printf '#!/bin/sh\\n${note("gpg")}; exit 1\\n' >${directory}/gpg
chmod +x ${directory}/gpg
git init --quiet inside
echo inside >inside/file
echo '* filter=evil diff=evil' >inside/.gitattributes
git -C inside add --all
git -C inside -c user.name=A -c user.email=a@example.com commit --quiet --message=inside
plant inside
plant ${checkout}
rm -f ${ran}
echo later >>inside/file
echo '* filter=evil diff=evil merge=evil' >.gitattributes
echo a >a.txt
echo more >>README.md
rm -f ${ran}
`,
  );
  return script;
}
