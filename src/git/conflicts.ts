/** Tells early which agents' work will not go together. */
import type { Git } from "./git.ts";
import { mergeTrees } from "./merge_tree.ts";

/** What one agent has made so far. */
export interface Work {
  readonly id: string;
  /** A commit with all of it. */
  readonly oid: string;
}

/** Two agents' work. */
export interface Pair {
  readonly ids: readonly [string, string];
  /** Files that cannot be merged; empty when all goes together. */
  readonly conflicts: readonly string[];
}

const MAX_KNOWN = 10_000;

/** Verdicts about pairs of commits. As commits never change, none is asked for twice. */
export class Conflicts {
  readonly #git: Git;
  readonly #known = new Map<string, Promise<readonly string[]>>();

  constructor(git: Git) {
    this.#git = git;
  }

  /** Holds each against each, in their order. Throws {@linkcode GitError}. */
  async among(works: readonly Work[], content: Readonly<Record<string, string>>): Promise<Pair[]> {
    const pairs = works.flatMap((one, at) => works.slice(at + 1).map((other) => [one, other] as const));
    return await Promise.all(pairs.map(async ([one, other]) => ({
      ids: [one.id, other.id] as const,
      conflicts: one.oid === other.oid ? [] : await this.#between(one.oid, other.oid, content),
    })));
  }

  async #between(ours: string, theirs: string, content: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const key = [ours, theirs].sort().join(" ");
    const known = this.#known.get(key);
    if (known !== undefined) return await known;
    const [first] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && first !== undefined) this.#known.delete(first);
    const verdict = mergeTrees(this.#git, { content, ours, theirs }).then((merged) =>
      merged.kind === "clean" ? [] : merged.files
    );
    this.#known.set(key, verdict);
    verdict.catch(() => this.#known.delete(key));
    return await verdict;
  }
}
