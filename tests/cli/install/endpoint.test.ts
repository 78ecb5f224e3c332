import assert from "node:assert/strict";
import { clients } from "../../../src/cli/install/clients.ts";
import { clientYard, readText, RUNNING, USUAL } from "../../helpers/client_yard.ts";

const SOCKET = { url: "unix:///run/swarm.sock#/mcp", pid: 43, token: { kind: "given" } } as const;

Deno.test("install --http without a server takes the usual address and says how to start one", async () => {
  await using yard = await clientYard();
  const { exitCode, output } = await yard.install("codex", { address: USUAL });
  assert.equal(exitCode, 0);
  assert.match(output, /\nNo server runs there yet: start it with `codex-swarm --http`\.\n/);
  assert.match(output, /\nThe token stands in \/state\/token\. Codex takes it from the variable CODEX_SWARM_TOKEN/);
  assert.match(output, /\n {2}export CODEX_SWARM_TOKEN="\$\(cat \/state\/token\)"\n/);
  assert.match(await readText(yard.file("codex")), /\nurl = "http:\/\/127\.0\.0\.1:7077\/mcp"\n/);
});

Deno.test("install --http takes the newest server that the client can call", async () => {
  await using yard = await clientYard();
  const other = { url: "http://127.0.0.1:8000/mcp", pid: 44, token: { kind: "file", path: "/a b/it's" } } as const;
  const options = {
    address: USUAL,
    isPrint: true,
    endpoints: [{ ...RUNNING, url: "http://127.0.0.1:9000/mcp" }, other, SOCKET],
  };
  const cursor = (await yard.install("cursor", options)).output;
  assert.match(cursor, /"url": "http:\/\/127\.0\.0\.1:8000\/mcp"/);
  assert.match(cursor, /process 44\. Start it at the same address each time\./);
  assert.ok(cursor.includes(`export CODEX_SWARM_TOKEN="$(cat '/a b/it'\\''s')"`));
  const windows = { ...yard.machine, os: "windows" };
  const { output } = await yard.install("cursor", { ...options, machine: windows });
  assert.ok(output.includes("$env:CODEX_SWARM_TOKEN = Get-Content '/a b/it''s'"));
  const vscode = (await yard.install("vscode", options)).output;
  assert.match(vscode, /"url": "unix:\/\/\/run\/swarm\.sock#\/mcp"/);
  assert.match(vscode, /Its token is the one that it is given when it is started\.\n/);
  assert.match(vscode, /VS Code asks for the token/);
});

Deno.test("install --http HOST:PORT takes that address, whatever else runs", async () => {
  await using yard = await clientYard();
  const told = async (host: string, port: number): Promise<string> => {
    const address = { kind: "tcp", host, port } as const;
    return (await yard.install("gemini", { address, endpoints: [RUNNING, SOCKET] })).output;
  };
  assert.match(await told("::1", 8_000), /"httpUrl": "http:\/\/\[::1\]:8000\/mcp"/);
  assert.match(await told("::1", 8_000), /No server runs there yet: start it with `codex-swarm --http \[::1\]:8000`\./);
  assert.match(await told("0.0.0.0", 7_077), /process 42\./);
  assert.match(await told("127.0.0.1", 0), /"http:\/\/127\.0\.0\.1:7077\/mcp"/);
  const address = { kind: "socket", path: "/run/my swarm" } as const;
  const vscode = (await yard.install("vscode", { address, endpoints: [RUNNING] })).output;
  assert.match(vscode, /start it with `codex-swarm --socket '\/run\/my swarm'`\./);
  assert.match(await readText(yard.file("vscode")), /"url": "unix:\/\/\/run\/my swarm#\/mcp"/);
  const { exitCode, error } = await yard.install("cursor", { address });
  assert.equal(exitCode, 1);
  assert.match(error, /^codex-swarm: A server there listens on a Unix socket, which of all clients only VS Code can/);
});

Deno.test("install --http prefers the server at the usual address to newer ones", async () => {
  await using yard = await clientYard();
  const newer = { url: "http://127.0.0.1:8000/mcp", pid: 44, token: { kind: "given" } } as const;
  const { output } = await yard.install("zed", { address: USUAL, endpoints: [RUNNING, newer] });
  assert.match(output, /"url": "http:\/\/127\.0\.0\.1:7077\/mcp"/);
});

Deno.test("install --http says that only VS Code can call a Unix socket, and writes nothing", async () => {
  await using yard = await clientYard();
  for (const { name, reach } of clients.filter((client) => client.reach === "http")) {
    const { exitCode, error } = await yard.install(name, { address: USUAL, endpoints: [SOCKET] });
    assert.equal(exitCode, 1, reach);
    assert.equal(
      error,
      "codex-swarm: The server that runs (process 43) listens on a Unix socket, which of all clients only VS Code can " +
        "call: start one with `codex-swarm --http`, then run this again.\n",
    );
  }
  assert.deepEqual([...Deno.readDirSync(yard.machine.home)], []);
  assert.equal((await yard.install("vscode", { address: USUAL, endpoints: [SOCKET] })).exitCode, 0);
});

Deno.test("install --http says that Claude Desktop calls nobody", async () => {
  await using yard = await clientYard();
  const { exitCode, error } = await yard.install("claude-desktop", { address: USUAL });
  assert.equal(exitCode, 1);
  assert.match(error, /^codex-swarm: Claude Desktop starts its servers itself .*: leave --http out\.\n$/);
});

Deno.test("install never writes the token", async () => {
  await using yard = await clientYard();
  const tokenFile = `${yard.path}/token`;
  await Deno.writeTextFile(tokenFile, "s3cret-of-the-server");
  for (const { name } of clients.filter((client) => client.reach !== "stdio")) {
    const { output } = await yard.install(name, {
      address: USUAL,
      endpoints: [{ ...RUNNING, token: { kind: "file", path: tokenFile } }],
    });
    assert.match(output, /The token stands in \/token\./);
    assert.ok(!output.includes("s3cret"));
    const written = await readText(yard.file(name)).catch(() => "");
    assert.ok(!written.includes("s3cret"));
  }
});

Deno.test("install --http has no client ask for a token, or send one, that calls a server without one", async () => {
  const open = { ...RUNNING, token: { kind: "none" } } as const;
  for (const client of clients.filter(({ reach }) => reach !== "stdio")) {
    await using yard = await clientYard();
    // What the same server asked for before goes.
    await yard.install(client.name, { address: USUAL, endpoints: [RUNNING] });
    const { exitCode, output } = await yard.install(client.name, { address: USUAL, endpoints: [open] });
    assert.equal(exitCode, 0);
    assert.match(output, /\nIt asks for no token: every program on this machine can call it\.\n/);
    const written = await readText(yard.file(client.name)).catch(() => "");
    const shown = client.snippet({ kind: "http", url: RUNNING.url, hasToken: false });
    for (const text of [output.replace("asks for no token", ""), written, shown]) {
      assert.doesNotMatch(text, /token|authorization|bearer|headers/i, client.name);
    }
    assert.ok(shown.includes(RUNNING.url));
    if (client.format !== undefined) assert.ok(written.includes(RUNNING.url));
  }
});

Deno.test("install --http --no-token says how to start such a server", async () => {
  await using yard = await clientYard();
  const options = { address: USUAL, token: { kind: "none" } } as const;
  const { output } = await yard.install("cursor", options);
  assert.match(output, /start it with `codex-swarm --http --no-token`\./);
  assert.deepEqual(JSON.parse(await readText(yard.file("cursor"))).mcpServers["codex-swarm"], { url: RUNNING.url });
});
