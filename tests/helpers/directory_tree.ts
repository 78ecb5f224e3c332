import { dirname, join } from "node:path";

/** A file of a tree: two of the same name and number are the same file, written in place. */
export interface TreeFile {
  readonly bytes: Uint8Array;
  readonly ino: number | null;
}

/** All files below a directory, by their paths in it; a directory without files is there too, with a slash at its end. */
export function readTree(path: string): Map<string, TreeFile> {
  const tree = new Map<string, TreeFile>();
  const read = (inner: string): void => {
    const entries = Array.from(Deno.readDirSync(join(path, inner)));
    if (entries.length === 0 && inner !== "") tree.set(`${inner}/`, { bytes: new Uint8Array(), ino: null });
    for (const { name, isDirectory } of entries) {
      const at = inner === "" ? name : `${inner}/${name}`;
      if (isDirectory) read(at);
      else tree.set(at, { bytes: Deno.readFileSync(join(path, at)), ino: Deno.statSync(join(path, at)).ino });
    }
  };
  read("");
  return tree;
}

/** Makes such files below a directory. */
export function writeTree(path: string, tree: ReadonlyMap<string, Pick<TreeFile, "bytes">>): void {
  Deno.mkdirSync(path, { recursive: true });
  for (const [name, { bytes }] of tree) {
    Deno.mkdirSync(name.endsWith("/") ? join(path, name) : dirname(join(path, name)), { recursive: true });
    if (!name.endsWith("/")) Deno.writeFileSync(join(path, name), bytes);
  }
}

/** The contents of the files, to be compared. */
export function contentsOf(tree: ReadonlyMap<string, TreeFile>): Record<string, string> {
  const decoder = new TextDecoder("latin1");
  return Object.fromEntries([...tree].map(([name, { bytes }]) => [name, decoder.decode(bytes)]));
}
