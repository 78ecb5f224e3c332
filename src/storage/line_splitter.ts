/** Longest line that is kept; Codex's own are a few MiB. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** Makes lines of bytes that come in pieces. Invalid UTF-8 becomes U+FFFD. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  /** The unfinished line at the end of what has come. */
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  /** What comes belongs to a line that is not kept: because it is too long, or because it lacks its beginning. */
  #skipping: "long" | "headless" | null = null;
  #skippedLines = 0;
  #droppedBytes = 0;

  /** Lines left out because they were longer than 16 MiB. */
  get skippedLines(): number {
    return this.#skippedLines;
  }

  /** Bytes of lines of which a part never came. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Yields the lines that these bytes complete, without their newline. */
  *split(bytes: Uint8Array): Generator<string, void> {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#finishLine(bytes.subarray(start, end));
      if (line !== null) yield line;
      start = end + 1;
    }
    this.#keepTail(bytes.subarray(start));
  }

  /** The line that was not finished; nothing comes after it. */
  takeTornTail(): string | null {
    return this.#tailBytes === 0 ? null : this.#join(new Uint8Array());
  }

  /** Takes note that so many bytes do not come: the line before them has no end, the one behind them no beginning. */
  pass(bytes: number): void {
    this.#leaveLine();
    this.#droppedBytes += bytes;
    this.#skipping = "headless";
  }

  /** Takes note that what comes now begins with a new line. */
  restart(): void {
    this.#leaveLine();
    this.#skipping = null;
  }

  #leaveLine(): void {
    if (this.#skipping === "long") this.#skippedLines++;
    this.#droppedBytes += this.#tailBytes;
    this.#forgetTail();
  }

  #finishLine(end: Uint8Array): string | null {
    const skipping = this.#skipping;
    this.#skipping = null;
    switch (skipping) {
      case "long":
        this.#skippedLines++;
        return null;
      case "headless":
        this.#droppedBytes += end.length + 1;
        return null;
      case null:
        return this.#join(end);
    }
  }

  #join(end: Uint8Array): string {
    if (this.#tailBytes === 0) return this.#decoder.decode(end);
    const whole = new Uint8Array(this.#tailBytes + end.length);
    let at = 0;
    for (const part of [...this.#tail, end]) {
      whole.set(part, at);
      at += part.length;
    }
    this.#forgetTail();
    return this.#decoder.decode(whole);
  }

  #keepTail(bytes: Uint8Array): void {
    if (this.#skipping === "headless") this.#droppedBytes += bytes.length;
    if (bytes.length === 0 || this.#skipping !== null) return;
    if (this.#tailBytes + bytes.length > MAX_LINE_BYTES) {
      this.#skipping = "long";
      this.#forgetTail();
      return;
    }
    this.#tail.push(bytes.slice());
    this.#tailBytes += bytes.length;
  }

  #forgetTail(): void {
    this.#tail = [];
    this.#tailBytes = 0;
  }
}
