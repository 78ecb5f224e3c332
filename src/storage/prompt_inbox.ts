/** What an agent is to be told beside its first prompt: `prompt_1.txt`, `prompt_2.txt`, … in its task's directory. */
import { join } from "node:path";
import { syncDirectory, writeNew } from "./write_aside.ts";

const PROMPT = /^prompt_([1-9]\d{0,8})\.txt$/;

/** Name of the file that holds a prompt: 0 is the first one, which every task has. */
export function promptFile(number: number): string {
  return number === 0 ? "prompt.txt" : `prompt_${number}.txt`;
}

/** Highest number of a further prompt; 0 while there is none. */
export async function countPrompts(directory: string): Promise<number> {
  let highest = 0;
  for await (const { name } of Deno.readDir(directory)) {
    const [, number] = PROMPT.exec(name) ?? [];
    highest = Math.max(highest, Number(number ?? 0));
  }
  return highest;
}

/** Adds a prompt, on disk and whole before anybody can see it, and gives its number, which nobody else has been given. */
export async function addPrompt(directory: string, text: string): Promise<number> {
  const aside = join(directory, `prompt.${crypto.randomUUID()}.tmp`);
  try {
    await writeNew(aside, text);
    for (let number = await countPrompts(directory) + 1;; number++) {
      if (!await isPlaced(aside, join(directory, promptFile(number)))) continue;
      await syncDirectory(directory);
      return number;
    }
  } finally {
    await Deno.remove(aside).catch(() => undefined);
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

/** Takes a prompt back; tells whether it was there. */
export async function removePrompt(directory: string, number: number): Promise<boolean> {
  try {
    await Deno.remove(join(directory, promptFile(number)));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
