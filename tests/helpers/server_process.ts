/** The real server as a process of its own, with the line-by-line transport that any MCP client can use. */
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";

export const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

export interface ServerProcessOptions {
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Instead of `deno run … main.ts`: a bundle or a compiled program. */
  readonly command?: readonly [string, ...string[]];
}

/** A JSON-RPC message, of which only the client knows more. */
type Message = Record<string, unknown>;

/** As much of an MCP client's transport as clients of both SDK lines use. */
export class ServerProcess implements AsyncDisposable {
  // The two SDK lines type their messages differently; this one only passes them on.
  // deno-lint-ignore no-explicit-any
  onmessage?: (message: any) => void;
  onerror?: (error: Error) => void;
  onclose?: () => void;
  /** Lines that came on stdout and were no JSON: there must never be any. */
  readonly strayLines: string[] = [];
  /** Every message received, for tests that look at the wire. */
  readonly received: Message[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #stderr = "";
  #isInputOpen = true;

  constructor(options: ServerProcessOptions) {
    const [program, ...first] = options.command ?? [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN];
    this.#child = new Deno.Command(program, {
      args: [...first, ...(options.args ?? [])],
      clearEnv: true,
      env: { ...options.env },
      cwd: options.cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([this.#readMessages(), this.#readStderr()]).then(() => this.#tellClosed());
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Settles when the process has ended and its output was read. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#reading.then(() => this.#child.status);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async send(message: object): Promise<void> {
    await this.sendLine(JSON.stringify(message));
  }

  /** Writes a line, be it a message or not. */
  async sendLine(line: string): Promise<void> {
    await this.sendBytes(new TextEncoder().encode(`${line}\n`));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes);
  }

  /** Ends the server's input, as a client does that leaves. */
  async closeInput(): Promise<void> {
    if (!this.#isInputOpen) return;
    this.#isInputOpen = false;
    await this.#input.close().catch(() => undefined);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async close(): Promise<void> {
    await this.closeInput();
    await this.ended;
    this.#tellClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Once only; a server that ends by itself must not leave its client waiting. */
  #tellClosed(): void {
    const { onclose } = this;
    delete this.onclose;
    onclose?.();
  }

  async #readMessages(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#receive(line);
    }
    if (rest !== "") this.strayLines.push(rest);
  }

  #receive(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line);
    } catch {
      this.strayLines.push(line);
      return;
    }
    this.received.push(message);
    this.onmessage?.(message);
  }

  async #readStderr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.#stderr += text;
  }
}
