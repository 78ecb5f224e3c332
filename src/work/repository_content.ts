import { join } from "node:path";
import { type ContentMode, openContent } from "../git/content_directory.ts";
import type { Git } from "../git/git.ts";
import { checkRepository } from "../git/repository.ts";
import { digest } from "../storage/digest.ts";

type Content = (mode: ContentMode) => Readonly<Record<string, string>>;

/** How long what a repository is configured to is taken for unchanged. */
const FRESH_MS = 60_000;

/** The git directories in which contents are handled, one pair per repository. */
export class RepositoryContent {
  readonly #git: Git;
  readonly #directory: string;
  readonly #known = new Map<string, { readonly openedMs: number; readonly content: Promise<Content> }>();

  constructor(git: Git, directory: string) {
    this.#git = git;
    this.#directory = directory;
  }

  /** Gives the variables for one repository. Throws {@linkcode GitError}. */
  async of(commonDir: string): Promise<Content> {
    await checkRepository(commonDir);
    const known = this.#known.get(commonDir);
    if (known !== undefined && performance.now() - known.openedMs < FRESH_MS) return await known.content;
    const content = this.#open(commonDir);
    this.#known.set(commonDir, { openedMs: performance.now(), content });
    content.catch(() => this.#known.delete(commonDir));
    return await content;
  }

  async #open(commonDir: string): Promise<Content> {
    const directory = join(this.#directory, (await digest(commonDir)).slice(0, 16));
    return await openContent(this.#git, { commonDir, directory });
  }
}
