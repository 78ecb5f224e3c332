/** Runs a program of `tests/fixtures/` to its end and gives what it printed. Throws with its messages when it fails. */
export async function runFixture(name: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      new URL(`../fixtures/${name}`, import.meta.url).href,
      ...args,
    ],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`${name} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
