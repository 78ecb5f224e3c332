/** Tells whether Codex has ever run on this CODEX_HOME: a fresh one is set up by its first run. */
export async function hasCodexState(codexHome: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(codexHome)) {
      if (name === "sessions" || /^state_\d+\.sqlite$/.test(name)) return true;
    }
  } catch {
    // An absent home is as fresh as can be.
  }
  return false;
}
