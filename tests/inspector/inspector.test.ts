/** The MCP Inspector, a client that we did not write: what it lists, lints, calls, reads and gets, and how it ends. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { tools } from "../../src/tools/mod.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { installNodePrograms } from "../helpers/node_programs.ts";
import { denoDir } from "../helpers/real_swarm.ts";
import { MAIN } from "../helpers/server_process.ts";
import { baseEnvironment } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const INSPECTOR = "2.12.0";
const ERAS = ["legacy", "modern"] as const;

interface Inspected {
  readonly code: number;
  /** What came on stdout, which is one JSON object or nothing. */
  // deno-lint-ignore no-explicit-any
  readonly result: any;
  readonly stderr: string;
}

/** Runs one Inspector command; `target` is a URL, or the program to start behind `--`. */
async function inspect(method: readonly string[], target: readonly string[]): Promise<Inspected> {
  await using directory = await tempDirectory();
  const { node, modules } = await installNodePrograms(`inspector-${INSPECTOR}`, [
    `@modelcontextprotocol/inspector@${INSPECTOR}`,
  ]);
  const inspector = join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js");
  const { code, stdout, stderr } = await new Deno.Command(node, {
    args: [inspector, "--cli", "--format", "json", "--stored-auth-only", "--method", ...method, ...target],
    cwd: directory.path,
    clearEnv: true,
    env: { ...baseEnvironment(directory.path), HOME: directory.path },
    stdin: "null",
  }).output();
  const [written, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return {
    code,
    result: written === undefined || written === "" ? undefined : JSON.parse(written).result,
    stderr: said ?? "",
  };
}

interface Place extends AsyncDisposable {
  /** What the Inspector is pointed at. */
  readonly target: readonly string[];
}

async function overStdio(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const codex = stack.use(await installFakeCodex());
  const repo = stack.use(await tempRepo());
  const stateDir = join(stack.use(await tempDirectory()).path, "state");
  const server = [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN];
  // The Inspector passes on little of its own environment.
  const env = { DENO_DIR: await denoDir(), CODEX_HOME: codex.home };
  const owned = stack.move();
  return {
    target: [
      ...Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
      ...["--cwd", repo.path, "--", ...server, "--state-dir", stateDir, "--codex", codex.path],
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function overHttp(): Promise<Place> {
  const server = await startHttpServer();
  return {
    target: [server.url, "--transport", "http", "--header", `Authorization: Bearer ${server.token}`],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

for (const [transport, open] of [["stdio", overStdio], ["HTTP", overHttp]] as const) {
  for (const era of ERAS) {
    Deno.test(`the Inspector lists, lints, calls, reads and gets over ${transport} (${era} era)`, async (t) => {
      await using place = await open();
      const ask = async (...method: readonly string[]): Promise<Inspected["result"]> => {
        const { code, result, stderr } = await inspect([...method, "--protocol-era", era], place.target);
        assert.equal(code, 0, stderr);
        return result;
      };

      await t.step("tools/list --strict", async () => {
        const { tools: listed } = await ask("tools/list", "--strict");
        assert.deepEqual(listed.map(({ name }: { name: string }) => name), tools.map(({ name }) => name));
      });

      await t.step("tools/call", async () => {
        const result = await ask(
          "tools/call",
          "--tool-name",
          "codex",
          "--tool-args-json",
          '{"prompt":"fake:say(hello)"}',
        );
        assert.deepEqual([result.structuredContent.status, result.structuredContent.content], ["completed", "hello"]);
      });

      await t.step("resources/list", async () => {
        const { resources } = await ask("resources/list");
        const names = resources.map(({ name }: { name: string }) => name);
        assert.deepEqual(names, ["server-info", "config", "tasks"]);
      });

      await t.step("resources/read", async () => {
        const { contents: [{ text }] } = await ask("resources/read", "--uri", "codex-swarm:///tasks");
        assert.deepEqual(JSON.parse(text).map(({ status }: { status: string }) => status), ["completed"]);
      });

      await t.step("prompts/list", async () => {
        const { prompts } = await ask("prompts/list");
        assert.deepEqual(prompts.map(({ name }: { name: string }) => name), ["fan_out", "review_and_merge"]);
      });

      await t.step("prompts/get", async () => {
        const { messages: [{ content }] } = await ask(
          "prompts/get",
          "--prompt-name",
          "fan_out",
          "--prompt-args",
          "task=x",
        );
        assert.match(content.text, /codex_async/);
      });
    });
  }
}

for (const [transport, open] of [["stdio", overStdio], ["HTTP", overHttp]] as const) {
  for (const era of ERAS) {
    Deno.test(`the Inspector sees wrong calls fail over ${transport} (${era} era)`, async () => {
      await using place = await open();
      const call = (name: string): Promise<Inspected> =>
        inspect(["tools/call", "--tool-name", name, "--protocol-era", era], place.target);
      const wrong = await call("codex_cancel");
      assert.equal(wrong.code, 5);
      assert.match(wrong.result.content[0].text, /Cannot call codex_cancel: task_id/);
      const unknown = await call("codex_cancle");
      assert.equal(unknown.code, 5);
      assert.match(`${JSON.stringify(unknown.result)}${unknown.stderr}`, /codex_cancle/);
    });
  }
}

for (const era of ERAS) {
  Deno.test(`the Inspector is told that it needs a token, and nothing else (${era} era)`, async () => {
    await using server = await startHttpServer();
    for (const header of [[], ["--header", `Authorization: Bearer ${"x".repeat(43)}`]]) {
      const target = [server.url, "--transport", "http", ...header];
      const { code, result, stderr } = await inspect(["tools/list", "--protocol-era", era], target);
      assert.deepEqual([code, result], [3, undefined], stderr);
      assert.deepEqual(Object.keys(JSON.parse(stderr)), ["error"]);
    }
  });
}

for (const era of ERAS) {
  Deno.test(`the Inspector says so where nobody listens any more (${era} era)`, async () => {
    const server = await startHttpServer({ args: ["--no-token"] });
    const target = [server.url, "--transport", "http"];
    const look = (): Promise<Inspected> => inspect(["tools/list", "--protocol-era", era], target);
    assert.equal((await look()).code, 0);
    await server[Symbol.asyncDispose]();
    const { code, result, stderr } = await look();
    assert.deepEqual([code, result, JSON.parse(stderr).error.code], [4, undefined, "unreachable"]);
  });

  // That a program cannot be started is no such error to it.
  Deno.test(`the Inspector says so where the server does not start over stdio (${era} era)`, async () => {
    await using place = await overStdio();
    const { code, result, stderr } = await inspect(
      ["tools/list", "--protocol-era", era],
      [...place.target, "--max-concurrent", "none"],
    );
    assert.deepEqual([code, result], [1, undefined], stderr);
    assert.match(stderr, /"error"/);
  });
}
