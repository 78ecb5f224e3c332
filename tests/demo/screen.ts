/** Shows what agents do: in place on a terminal, line by line elsewhere. */

export interface Screen {
  readonly isTerminal: boolean;
  readonly width: number;
  write(text: string): void;
}

/** One line per agent that is replaced as it works; where nothing can be replaced, a line for each change. */
export class LiveLines {
  readonly #screen: Screen;
  #shown: readonly string[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(lines: readonly string[]): void {
    const { isTerminal, width } = this.#screen;
    const cut = lines.map((line) => isTerminal ? [...line].slice(0, width - 1).join("") : line);
    if (isTerminal) {
      const up = this.#shown.length === 0 ? "" : `\x1b[${this.#shown.length}A`;
      this.#screen.write(up + cut.map((line) => `\x1b[2K${line}\n`).join(""));
    } else {
      for (const line of cut) if (!this.#shown.includes(line)) this.#screen.write(`${line}\n`);
    }
    this.#shown = cut;
  }
}
