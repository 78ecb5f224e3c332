/**
 * What is known of the worktrees of agents. It is written down before git's first command and outlives the task, so that
 * whatever an agent has made can be found as long as it can be restored.
 */
import { join } from "node:path";
import * as z from "zod";
import type { WorktreeSpec } from "../task/spec.ts";
import { removeOld } from "./files.ts";
import { waitForLock } from "./kernel_lock.ts";
import { worktreeShape } from "./stored_worktree.ts";
import { writeAside } from "./write_aside.ts";

/** How far a worktree has come. */
export interface WorkRecord {
  readonly spec: WorktreeSpec;
  /** For people: what the task was called, or what its agent said. */
  readonly title?: string;
  /** Absent until an agent may be let in. */
  readonly ready?: {
    /** The worktree's own git directory. */
    readonly gitDir: string;
    /** What tells it from any other that may come to its place. */
    readonly device: number;
    readonly inode: number;
    readonly at: Date;
  };
  /** Tasks whose agents have worked in it. */
  readonly tasks?: readonly string[];
  /** The last time that a turn of an agent's was kept. */
  readonly keptAt?: Date;
  /** A commit and a tree: its files are going from one to the other, which nobody has seen the end of. */
  readonly turning?: { readonly from: string; readonly to: string };
  /** A commit that was merged into the files, and which of these had conflicts; the turn's end commits it. */
  readonly merging?: { readonly oid: string; readonly files: readonly string[] };
  /** Absent while the worktree stands at its place. */
  readonly removed?: {
    readonly at: Date;
    /** Where its files are for now; `null` when there were none. */
    readonly trash: string | null;
    /** Its branch had all that was in it. */
    readonly isAllOnBranch: boolean;
  };
  /** Since when it is known that another branch has all of it. */
  readonly integratedAt?: Date;
}

/** Longer than any piece of work on a worktree takes. */
const MAX_WORK_MS = 4 * 3_600_000;

const shape = z.object({
  spec: worktreeShape,
  title: z.string().exactOptional(),
  ready: z.object({ gitDir: z.string(), device: z.number(), inode: z.number(), at: z.coerce.date() }).exactOptional(),
  tasks: z.array(z.string()).exactOptional(),
  keptAt: z.coerce.date().exactOptional(),
  turning: z.object({ from: z.string(), to: z.string() }).exactOptional(),
  merging: z.object({ oid: z.string(), files: z.array(z.string()) }).exactOptional(),
  removed: z.object({ at: z.coerce.date(), trash: z.string().nullable(), isAllOnBranch: z.boolean() }).exactOptional(),
  integratedAt: z.coerce.date().exactOptional(),
});

/** Of the task that a worktree was made for; a restored one has a number behind it. */
const ID = /^[0-9a-f]{8}(?:\.[1-9]\d*)?$/;

export function isWorkId(text: string): boolean {
  return ID.test(text);
}

/** The records of all worktrees. */
export class WorkDirectories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  of(id: string): WorkDirectory {
    if (!ID.test(id)) throw new Error(`${JSON.stringify(id)} names no worktree`);
    return new WorkDirectory(join(this.#root, id), id);
  }

  /** In no particular order. */
  async ids(): Promise<string[]> {
    const ids: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#root)) if (ID.test(name)) ids.push(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return ids;
  }
}

/** The record of one worktree, and the files that serve it. */
export class WorkDirectory {
  readonly id: string;
  readonly path: string;

  constructor(path: string, id: string) {
    this.path = path;
    this.id = id;
  }

  /** Index of the snapshots. */
  get rawIndex(): string {
    return join(this.path, "snapshot.index");
  }

  /** Index of the commits. */
  get textIndex(): string {
    return join(this.path, "commit.index");
  }

  /** Archive of what git ignores. */
  get ignored(): string {
    return join(this.path, "ignored.tar");
  }

  get setupLog(): string {
    return join(this.path, "setup.log");
  }

  /** `null` where there is none. Throws for one that is none of ours. */
  async read(): Promise<WorkRecord | null> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#record);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
    return shape.parse(JSON.parse(text));
  }

  /** Whoever writes holds the lock. On disk when this returns. */
  async write(record: WorkRecord): Promise<void> {
    await Deno.mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeAside(this.#record, `${JSON.stringify(record)}\n`);
  }

  /** Takes the right to change the worktree, which one server at a time has; `null` when it cannot be had in time. */
  async lock(waitMs: number): Promise<Disposable | null> {
    await Deno.mkdir(this.path, { recursive: true, mode: 0o700 });
    return await waitForLock(join(this.path, "lock"), { waitMs });
  }

  /** Makes the directory; tells whether nobody had before. */
  async claim(): Promise<boolean> {
    try {
      await Deno.mkdir(this.path, { mode: 0o700 });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    }
  }

  /** Removes what pieces of work have left that were broken off longer ago than any takes. */
  async sweep(isScratch: RegExp): Promise<void> {
    await removeOld(this.path, { ageMs: MAX_WORK_MS, isOurs: (name) => isScratch.test(name) });
  }

  /** Forgets the worktree, but leaves the directory, in which logs may be. */
  async forget(): Promise<void> {
    await Deno.remove(this.#record);
  }

  /** Forgets the worktree with all that stands in the directory. */
  async remove(): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }

  get #record(): string {
    return join(this.path, "work.json");
  }
}
