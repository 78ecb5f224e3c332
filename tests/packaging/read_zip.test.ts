import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import { readZip } from "../../.github/packaging/read_zip.ts";

interface Entry {
  readonly name: string;
  readonly text: string;
  /** What stands before the file itself, if that is another name. */
  readonly localName?: string;
}

function record(signature: number, length: number, numbers: Readonly<Record<number, number>>, name = ""): Uint8Array {
  const bytes = new Uint8Array(length + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  for (const [at, value] of Object.entries(numbers)) {
    if (value > 0xffff || Number(at) >= 16) view.setUint32(Number(at), value, true);
    else view.setUint16(Number(at), value, true);
  }
  bytes.set(new TextEncoder().encode(name), length);
  return bytes;
}

/** Writes a zip; `gap` are bytes before its directory. */
function writeZip(entries: readonly Entry[], gap = ""): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  const size = (): number => parts.reduce((sum, { length }) => sum + length, 0);
  for (const { name, text, localName = name } of entries) {
    const data = deflateRawSync(new TextEncoder().encode(text));
    const numbers = { 20: data.length, 28: name.length, 38: (0o755 << 16) >>> 0, 42: size() };
    const entry = record(0x02014b50, 46, numbers, name);
    new DataView(entry.buffer).setUint16(10, 8, true);
    directory.push(entry);
    const local = record(0x04034b50, 30, {}, localName);
    new DataView(local.buffer).setUint16(26, localName.length, true);
    parts.push(local, data);
  }
  parts.push(new TextEncoder().encode(gap));
  const begin = size();
  const end = record(0x06054b50, 22, { 10: entries.length, 16: begin });
  return new Uint8Array([...parts, ...directory, end].flatMap((bytes) => [...bytes]));
}

const TWO: readonly Entry[] = [{ name: "a", text: "first" }, { name: "b/c", text: "second ".repeat(50) }];

Deno.test("readZip() gives files with their bytes and modes", async () => {
  const files = await readZip(writeZip(TWO));
  const read = [...files].map(([name, { bytes, mode }]) => [name, new TextDecoder().decode(bytes), mode]);
  assert.deepEqual(read, TWO.map(({ name, text }) => [name, text, 0o755]));
});

Deno.test("readZip() refuses what another reader could read in another way", async () => {
  const whole = writeZip(TWO);
  const wrong: readonly (readonly [Uint8Array<ArrayBuffer>, RegExp])[] = [
    [new Uint8Array(), /does not end as one/],
    [whole.subarray(0, -1), /does not end as one/],
    [new Uint8Array([...whole, 0]), /does not end as one/],
    [writeZip([...TWO, { name: "a", text: "other" }]), /a is there twice/],
    [writeZip([{ name: "a", text: "x", localName: "b" }]), /a has two names/],
    [writeZip(TWO, "hidden"), /something between its files/],
  ];
  for (const [zip, says] of wrong) await assert.rejects(readZip(zip), says);
});
