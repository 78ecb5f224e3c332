import { reasonOf } from "../task/errors.ts";

/** Tells whether the process or the system has no open files to spare just now: EMFILE, ENFILE. */
export function isShortOfFiles(error: unknown): boolean {
  return /\(os error (23|24)\)|Too many open files/i.test(reasonOf(error));
}
