/** Git's output and names of files as strings of which each character is one byte: a name need not be UTF-8. */

const CHUNK = 8_192;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes as such a string. */
export function binaryOf(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return binary;
}

export function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** For people and for JSON; what is no UTF-8 becomes U+FFFD. */
export function textOf(binary: string): string {
  return decoder.decode(bytesOf(binary));
}

export function binaryOfText(text: string): string {
  return binaryOf(encoder.encode(text));
}

/** The fields of output with `-z`. */
export function fieldsOf(binary: string): string[] {
  return binary.split("\0").slice(0, -1);
}
