import { fieldsOf, textOf } from "./bytes.ts";
import type { Git } from "./git.ts";
import type { Identity } from "./write_commit.ts";

/** For those whom git does not know. */
export const NEUTRAL: Identity = { name: "codex-swarm", email: "codex-swarm@localhost" };

/** Who the user is to git; {@linkcode NEUTRAL} where that is not configured whole. */
export async function userIdentity(git: Git, gitDir: string): Promise<Identity> {
  const { stdout } = await git.run([`--git-dir=${gitDir}`, "config", "-z", "--get-regexp", "^user\\.(name|email)$"]);
  const known: Record<string, string> = {};
  for (const field of fieldsOf(stdout).map(textOf)) {
    const end = field.indexOf("\n");
    // The last one counts.
    known[field.slice(0, end)] = field.slice(end + 1).trim();
  }
  const { "user.name": name, "user.email": email } = known;
  return name && email ? { name, email } : NEUTRAL;
}
