/** What really ran, as the agents themselves wrote it down; see `agent.sh`. */
import { type Turn, TURNS } from "./steps.ts";

/** One run of an agent. */
export interface LedgerRun {
  /** Names of the requests that it was given. */
  readonly keys: readonly string[];
  readonly taskId: string;
  readonly pid: number;
  /** What tells it from a later process with the same id. */
  readonly start: string;
  readonly threadId: string;
  /** `null` while it works, and for ever when it was killed. */
  end: LedgerEnd | null;
}

export interface LedgerEnd {
  readonly code: number;
  readonly turn: Turn;
  readonly by: "self" | "INT" | "TERM";
}

/** Reads on whenever it is asked. */
export class AgentLedger {
  readonly #path: string;
  readonly #known = new Map<string, LedgerRun>();
  readonly #open = new Map<string, LedgerRun>();
  #read = 0;
  #reading: Promise<void> = Promise.resolve();
  /** In the order of their starts. */
  readonly runs: LedgerRun[] = [];
  /** Threads on which two worked at once, each with its runs. */
  readonly clashes: { readonly pid: number; readonly runs: readonly LedgerRun[] }[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Those that have not said how they ended. */
  get open(): LedgerRun[] {
    return [...this.#open.values()];
  }

  /** One reader at a time. */
  async refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readOn());
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    using file = await Deno.open(this.#path);
    await file.seek(this.#read, Deno.SeekMode.Start);
    const text = await new Response(file.readable).text();
    // In ASCII, where a character is a byte.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#read += whole.length;
    for (const line of whole.split("\n")) if (line !== "") this.#add(line.split(" "));
  }

  /** No more is asked about a run that was killed. */
  forget({ pid, start }: LedgerRun): void {
    this.#open.delete(`${pid} ${start}`);
  }

  #add([what, ...fields]: string[]): void {
    if (what === "start") {
      const [keys = "", taskId = "", pid = "", start = "", threadId = ""] = fields;
      const run = { keys: keys.split(","), taskId, pid: Number(pid), start, threadId, end: null };
      this.runs.push(run);
      this.#known.set(`${pid} ${start}`, run);
      this.#open.set(`${pid} ${start}`, run);
    } else if (what === "end") {
      const [keys, pid = "", start = "", code, turn, by] = fields;
      const run = this.#known.get(`${pid} ${start}`);
      const knownTurn = TURNS.find((known) => known === turn);
      if (run === undefined || run.end !== null || knownTurn === undefined) {
        throw new Error(`Cannot read the ledger: an end of ${keys}, ${JSON.stringify(run)}`);
      }
      run.end = { code: Number(code), turn: knownTurn, by: by === "INT" || by === "TERM" ? by : "self" };
      this.#open.delete(`${pid} ${start}`);
    } else {
      const [pid, , threadId] = fields;
      this.clashes.push({ pid: Number(pid), runs: this.runs.filter((run) => run.threadId === threadId) });
    }
  }
}
