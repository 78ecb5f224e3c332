/** The directories and files of a call, looked up. */
import { resolve } from "node:path";
import { findRepository, type Repository } from "../git/repository.ts";
import { type Directory, existingDirectory, existingImage, resolveLinks } from "../storage/paths.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import { checkRoot, type Limits } from "./limits.ts";
import type { StartRequest } from "./start_request.ts";

/** Where a task works. All paths are absolute. */
export interface Places {
  /** As the call names it; under `--root` with its symbolic links resolved. */
  readonly cwd: string;
  readonly addDirs: readonly string[];
  readonly images: readonly string[];
  readonly repository: Repository | null;
  /** The repository's common `.git` directory, or the directory itself outside a repository. */
  readonly repositoryId: string;
}

/** Looks all places up. Throws for what is not there, and `beyond_limit` for what lies outside the roots. */
export async function findPlaces(
  request: StartRequest,
  server: {
    readonly cwd: string;
    readonly limits: Limits;
    /** The worktree of ours that the working directory is in: it may be wherever its checkout may. */
    readonly worktree?: WorktreeSpec | undefined;
  },
): Promise<Places> {
  const { limits } = server;
  // A link that is led elsewhere while the task is queued must not lead out of the roots.
  const pathOf = ({ path, real }: Directory): string => limits.roots.length === 0 ? path : real;
  const cwd = await existingDirectory(resolve(server.cwd, request.cwd ?? "."), "cwd");
  checkRoot(server.worktree === undefined ? cwd.real : await resolveLinks(server.worktree.checkout), "cwd", limits);
  const addDirs = await Promise.all(
    (request.addDirs ?? []).map((path) => existingDirectory(resolve(cwd.path, path), "add-dirs")),
  );
  for (const { real } of addDirs) checkRoot(real, "add-dirs", limits);
  const repository = await findRepository(cwd.real);
  return {
    cwd: pathOf(cwd),
    addDirs: addDirs.map(pathOf),
    images: await Promise.all((request.images ?? []).map((path) => existingImage(resolve(cwd.path, path)))),
    repository,
    repositoryId: repository?.commonDir ?? cwd.real,
  };
}

/** The `repositoryId` of a directory. Throws `cwd_missing`. */
export async function findRepositoryId(cwd: string): Promise<string> {
  const { real } = await existingDirectory(cwd, "cwd");
  return (await findRepository(real))?.commonDir ?? real;
}

/** The limits with the symbolic links of the roots resolved, as {@linkcode checkRoot} compares them. */
export async function resolveRoots(limits: Limits): Promise<Limits> {
  return { ...limits, roots: await Promise.all(limits.roots.map(resolveLinks)) };
}
