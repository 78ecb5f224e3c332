/** What the program may do, and may do no longer. */

const PERMISSIONS = ["run", "read", "write", "env", "sys", "net", "ffi", "import"] as const;

/** From here on the program can open no connection to anybody, whatever code it runs. */
export async function revokeNet(): Promise<void> {
  await Deno.permissions.revoke({ name: "net" });
}

/** Each permission by its name: `granted` or `denied`. */
export async function permissionStates(): Promise<Record<string, string>> {
  const states = PERMISSIONS.map(async (name) => {
    const { state } = await Deno.permissions.query({ name });
    // Deno calls a revoked permission `prompt`, but under --no-prompt nobody is asked.
    return [name, state === "granted" ? state : "denied"] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}
