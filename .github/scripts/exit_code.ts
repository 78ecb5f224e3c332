/** Does what a script is for; gives its exit code: 0, or 1 with one line on stderr that says why it could not. */
export async function exitCodeOf(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Deno.stderr.writeSync(new TextEncoder().encode(`${message}\n`));
    return 1;
  }
}
