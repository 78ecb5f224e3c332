/** The name that a caller gives a call, so that made again it starts nothing twice. */
import * as z from "zod";
import { digest } from "../storage/digest.ts";
import { resolveLinks } from "../storage/paths.ts";
import { TaskError } from "../task/errors.ts";
import { cutEnd } from "./bounded_text.ts";

/** Longest key that is repeated, in characters. */
const MAX_KEY = 80;

/** The parameter of all tools that start agents. */
export const requestKey = {
  "request-key": z.string().optional().describe("Name of your choice: called again with it, nothing starts twice"),
};

/** What a tool was called with. */
export type KeyedInput = Readonly<Record<string, unknown>> & { readonly "request-key"?: string | undefined };

/** A call that starts agents. */
export interface StartingCall {
  readonly tool: string;
  readonly input: KeyedInput;
  /**
   * Absolute paths, of each place one, that its agents start in: in others the same name is another call's. None where a
   * thread has its own.
   */
  readonly directories: readonly string[];
}

/** A call that its caller has given a name. */
export interface NamedCall {
  readonly tool: string;
  readonly key: string;
  /** What it asks for, without the name and where. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** Where each of its agents starts, with symbolic links resolved. */
  readonly directories: readonly string[];
}

/** The call by its name; `null` when it has none. Throws `invalid_argument` for a name that is none. */
export async function namedCall({ tool, input, directories }: StartingCall): Promise<NamedCall | null> {
  const { "request-key": key, cwd: _cwd, ...asked } = input;
  if (key === undefined) return null;
  if (key.trim() !== "") return { tool, key, asked, directories: await Promise.all(directories.map(resolveLinks)) };
  throw new TaskError(
    "invalid_argument",
    `Cannot call ${tool}: request-key is empty. Give it a name, or leave it out.`,
  );
}

/** Tells one call from another of the same name, however their fields are ordered. Values of variables may be secrets. */
export async function digestOf({ asked: { env, ...asked }, directories }: NamedCall): Promise<string> {
  const names = typeof env === "object" && env !== null ? Object.keys(env).toSorted() : null;
  return await digest(JSON.stringify({ ...asked, env: names, directories }, (_name, value: unknown) => inOrder(value)));
}

function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1));
}

export function otherCall({ tool, key }: NamedCall): TaskError {
  const message =
    `Cannot call ${tool}: a call with request-key "${cutEnd(key, MAX_KEY)}" was made before and asked for ` +
    "something else. Choose another key; nothing was started.";
  return new TaskError("invalid_argument", message);
}

export function busyCall({ tool, key }: NamedCall): TaskError {
  const message =
    `Cannot call ${tool}: a call with request-key "${cutEnd(key, MAX_KEY)}" is still being begun. Make it ` +
    "again later; nothing was started.";
  return new TaskError("start_failed", message);
}
