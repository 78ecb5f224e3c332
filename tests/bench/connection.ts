import { type Answer, get, reasonOf } from "./answers.ts";

/** How a server is started. */
export interface Launch {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

interface Reply {
  readonly message: unknown;
  readonly receivedAt: number;
}

/** A server that does not answer at all must not keep the bench for ever. */
const REQUEST_MS = 120_000;
const STDERR_KEPT = 2_000;

/** JSON-RPC with a server process, line by line and without an SDK: the same for everybody, timed on this side. */
export class Connection implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  readonly #reading: Promise<unknown>;
  #lastId = 0;
  #stderr = "";
  #name = "";
  #tools: ReadonlySet<string> = new Set();
  #hasEnded = false;

  private constructor({ command: [program = "", ...args], env, cwd }: Launch) {
    this.#child = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...env },
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([this.#readReplies(), this.#readStderr()]);
  }

  /** Starts a server and shakes hands. Rejects with what it said when it cannot. */
  static async open(launch: Launch): Promise<Connection> {
    const connection = new Connection(launch);
    try {
      const { result } = await connection.request("initialize", {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "bench", version: "1.0.0" },
      });
      const info = get(result, "serverInfo");
      connection.#name = `${get(info, "name")} ${get(info, "version")}`;
      connection.#write({ jsonrpc: "2.0", method: "notifications/initialized" });
      const tools = get((await connection.request("tools/list", {})).result, "tools");
      if (Array.isArray(tools)) connection.#tools = new Set(tools.map((tool) => String(get(tool, "name"))));
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Name and version as the server gives them. */
  get name(): string {
    return this.#name;
  }

  has(tool: string): boolean {
    return this.#tools.has(tool);
  }

  /** Rejects when the server answers with an error, ends, or takes more than two minutes. */
  async request(method: string, params: object): Promise<{ result: unknown; ms: number; receivedAt: number }> {
    if (this.#hasEnded) throw this.#endError();
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<Reply>();
    this.#waiting.set(id, reply);
    const what = `${method} ${get(params, "name") ?? ""}`.trim();
    const timer = setTimeout(() => reply.reject(new Error(`no answer to ${what}`)), REQUEST_MS);
    try {
      const sentAt = performance.now();
      this.#write({ jsonrpc: "2.0", id, method, params });
      const { message, receivedAt } = await reply.promise;
      const error = get(message, "error");
      if (error !== undefined) throw new Error(`${what} was refused: ${JSON.stringify(error).slice(0, 300)}`);
      return { result: get(message, "result"), ms: receivedAt - sentAt, receivedAt };
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Calls a tool. */
  async call(name: string, args: object = {}): Promise<Answer> {
    const { result, ms, receivedAt } = await this.request("tools/call", { name, arguments: args });
    const content = get(result, "content");
    const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
    return {
      text: blocks.map((block) => String(get(block, "text") ?? "")).join("\n"),
      structured: get(result, "structuredContent"),
      isError: get(result, "isError") === true,
      ms,
      receivedAt,
    };
  }

  /** Ends the server as a crash does. */
  async crash(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#reading;
    await this.#child.status;
  }

  /** Ends the server's input, as a client that leaves, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => undefined);
    await this.#reading;
    await this.#child.status;
  }

  #write(message: object): void {
    // A server that is gone is noticed by the reader.
    this.#input.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => undefined);
  }

  async #readReplies(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#child.stdout) {
      const receivedAt = performance.now();
      const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#receive(line, receivedAt);
    }
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(this.#endError());
  }

  #endError(): Error {
    return new Error(`the server has ended${this.#stderr === "" ? "" : `: ${this.#stderr.trim()}`}`);
  }

  #receive(line: string, receivedAt: number): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch (error) {
      this.#stderr += `no JSON on stdout: ${reasonOf(error)}`;
      return;
    }
    this.#waiting.get(Number(get(message, "id")))?.resolve({ message, receivedAt });
  }

  async #readStderr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_KEPT);
    }
  }
}
