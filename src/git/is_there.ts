/** Tells whether anything stands at a path; what cannot be seen does not. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
