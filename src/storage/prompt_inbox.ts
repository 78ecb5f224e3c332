/** What an agent is to be told beside its first prompt: `prompt_1.txt`, `prompt_2.txt`, … in its task's directory. */
import { join } from "node:path";
import { syncDirectory, writeNew } from "./write_aside.ts";

const PROMPT = /^prompt_([1-9]\d{0,8})\.txt$/;
/** The same, and marks of numbers that were given. */
const GIVEN = /^prompt_([1-9]\d{0,8})\.txt(?:\.taken)?$/;

/** Name of the file that holds a prompt: 0 is the first one, which every task has. */
export function promptFile(number: number): string {
  return number === 0 ? "prompt.txt" : `prompt_${number}.txt`;
}

/** Highest number of a further prompt, 0 while there is none; lower numbers may be missing. */
export async function countPrompts(directory: string): Promise<number> {
  return await highestNumber(directory, PROMPT);
}

async function highestNumber(directory: string, names: RegExp): Promise<number> {
  let highest = 0;
  for await (const { name } of Deno.readDir(directory)) {
    const [, number] = names.exec(name) ?? [];
    highest = Math.max(highest, Number(number ?? 0));
  }
  return highest;
}

/** Adds a prompt, on disk and whole before anybody can see it, and gives its number, which nobody else has been given. */
export async function addPrompt(directory: string, text: string): Promise<number> {
  const aside = join(directory, `prompt.${crypto.randomUUID()}.tmp`);
  try {
    await writeNew(aside, text);
    for (let number = await highestNumber(directory, GIVEN) + 1;; number++) {
      if (!await isPlaced(aside, join(directory, promptFile(number)))) continue;
      await syncDirectory(directory);
      return number;
    }
  } finally {
    await Deno.remove(aside).catch(() => undefined);
  }
}

/** Reads a prompt; `null` for one that was taken back, or whose writer was killed before it was there. */
export async function readPrompt(directory: string, number: number): Promise<string | null> {
  try {
    return await Deno.readTextFile(join(directory, promptFile(number)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Gives the file a name that nobody else has taken; `false` when somebody has. */
async function isPlaced(aside: string, path: string): Promise<boolean> {
  try {
    await Deno.link(aside, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (error instanceof Deno.errors.NotFound) throw error;
  }
  return await isRenamed(aside, path);
}

/** The same where files cannot have two names: whoever makes the mark may rename. */
async function isRenamed(aside: string, path: string): Promise<boolean> {
  try {
    await writeNew(`${path}.taken`, "");
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
  await Deno.rename(aside, path);
  return true;
}

/** Takes a prompt back; tells whether it was there. Nobody else is given its number, which may count as told by now. */
export async function removePrompt(directory: string, number: number): Promise<boolean> {
  const path = join(directory, promptFile(number));
  // The mark may be there from before; and without room for it the prompt goes all the same.
  await writeNew(`${path}.taken`, "").catch(() => undefined);
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
