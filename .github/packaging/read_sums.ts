/** Gives the SHA-256 of each file by its name, from text as `sha256sum` writes it. Throws at a line that is none. */
export function readSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split("\n").filter((line) => line.trim() !== "")) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *]([^\s/\\]+)\r?$/.exec(line) ?? [];
    if (sum === undefined || name === undefined) {
      throw new Error(
        `Cannot read the sums: ${JSON.stringify(line)} is not "SHA256  NAME". Write them with sha256sum.`,
      );
    }
    if (sums.has(name)) throw new Error(`Cannot use the sums: ${name} stands there twice. Write them anew.`);
    sums.set(name, sum);
  }
  return sums;
}

/** The sum of a file. Throws where there is none. */
export function sumOf(sums: ReadonlyMap<string, string>, name: string): string {
  const sum = sums.get(name);
  if (sum !== undefined) return sum;
  const known = [...sums.keys()].join(", ") || "nothing";
  throw new Error(`Cannot find ${name} in the sums: they are of ${known}. Check the version, or write them anew.`);
}
