export interface Ends {
  /** Start and end, one behind the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes between them that were not kept. */
  readonly dropped: number;
}

/** Reads a stream to its end and keeps at most `maxBytes`: as much of its start as of its end. */
export async function keepEnds(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Ends> {
  const half = Math.floor(maxBytes / 2);
  const head = new Uint8Array(half);
  let headLength = 0;
  const tail: Uint8Array[] = [];
  let tailLength = 0;
  let dropped = 0;
  for await (const chunk of stream) {
    const first = chunk.subarray(0, half - headLength);
    head.set(first, headLength);
    headLength += first.length;
    if (first.length === chunk.length) continue;
    tail.push(chunk.subarray(first.length));
    tailLength += chunk.length - first.length;
    for (let [oldest] = tail; oldest !== undefined && tailLength > half; [oldest] = tail) {
      const excess = Math.min(oldest.length, tailLength - half);
      if (excess === oldest.length) tail.shift();
      else tail[0] = oldest.subarray(excess);
      tailLength -= excess;
      dropped += excess;
    }
  }
  const bytes = new Uint8Array(headLength + tailLength);
  bytes.set(head.subarray(0, headLength));
  let at = headLength;
  for (const part of tail) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, dropped };
}
