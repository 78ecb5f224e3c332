/** A file in a zip. */
export interface ZipFile {
  readonly bytes: Uint8Array;
  /** Unix permissions; 0 where whoever has made the zip has none. */
  readonly mode: number;
}

const END = 0x06054b50;
const END_LENGTH = 22;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * Reads a zip without comment, of less than 4 GiB. Throws unless its files lie one behind the other, each once and as its
 * directory names it, so that no reader can find anything else in it.
 */
export async function readZip(zip: Uint8Array<ArrayBuffer>): Promise<Map<string, ZipFile>> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.byteLength - END_LENGTH;
  expect(end >= 0 && view.getUint32(end, true) === END, "it does not end as one");
  const files = new Map<string, ZipFile>();
  const directory = view.getUint32(end + 16, true);
  let [entry, local] = [directory, 0];
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    expect(view.getUint32(entry, true) === ENTRY && view.getUint32(local, true) === LOCAL, "files are not in order");
    const length = view.getUint16(entry + 28, true);
    const [extra, comment] = [view.getUint16(entry + 30, true), view.getUint16(entry + 32, true)];
    const [localLength, localExtra] = [view.getUint16(local + 26, true), view.getUint16(local + 28, true)];
    const name = text(zip.subarray(entry + 46, entry + 46 + length));
    expect(name === text(zip.subarray(local + 30, local + 30 + localLength)), `${name} has two names`);
    expect(view.getUint32(entry + 42, true) === local && !files.has(name), `${name} is there twice`);
    const begin = local + 30 + localLength + localExtra;
    const packed = zip.subarray(begin, begin + view.getUint32(entry + 20, true));
    files.set(name, {
      bytes: await unpack(packed, view.getUint16(entry + 10, true)),
      mode: (view.getUint32(entry + 38, true) >>> 16) & 0o777,
    });
    local = begin + packed.length;
    entry += 46 + length + extra + comment;
  }
  expect(local === directory && entry === end, "there is something between its files");
  return files;
}

async function unpack(bytes: Uint8Array<ArrayBuffer>, method: number): Promise<Uint8Array> {
  if (method === STORED) return bytes;
  expect(method === DEFLATED, `method ${method} is unknown`);
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).bytes();
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Cannot read the zip: ${what}.`);
}
