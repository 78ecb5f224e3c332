/**
 * Writes a program that may be started at once. Another process does the writing: all tests share one, and whatever it
 * forks in the meantime would hold a file of its own open for writing, which Linux then refuses to start ("Text file
 * busy").
 */
export function writeExecutable(path: string, text: string): void {
  const script = 'printf %s "$2" >"$1" && chmod 755 "$1"';
  const { success, stderr } = new Deno.Command("/bin/sh", { args: ["-c", script, "sh", path, text] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
