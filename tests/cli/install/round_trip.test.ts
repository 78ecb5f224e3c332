/** Files of clients as people have them: in comes the server, twice, and out, and everything else stays. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseJsonc } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { type ClientYard, clientYard, FROM_SOURCE, readText, RUNNING, USUAL } from "../../helpers/client_yard.ts";
import { namesIn } from "../../helpers/temp_directory.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/clients/", import.meta.url));
const CLIENTS = { "claude-code": "mcpServers", cursor: "mcpServers", vscode: "servers", codex: "mcp_servers" };
const NAME = "codex-swarm";

/** What else may be odd about a file. */
const VARIANTS: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "with CRLF": (text) => text.replaceAll("\n", "\r\n"),
  "with a byte order mark": (text) => `\ufeff${text}`,
  "without a line end at its end": (text) => text.trimEnd(),
};
const WAYS = {
  stdio: {},
  "from source": { program: FROM_SOURCE },
  http: { address: USUAL, endpoints: [RUNNING] },
  "http without a token": { address: USUAL, endpoints: [{ ...RUNNING, token: { kind: "none" } }] },
} as const;

function parse(path: string, text: string): Record<string, Record<string, unknown>> {
  const plain = text.replace("\ufeff", "");
  return path.endsWith(".toml") ? Object(parseToml(plain)) : parseJsonc(plain.trim() === "" ? "{}" : plain);
}

/** All but the server, without what holds nothing. */
function restOf(path: string, text: string, servers: string): unknown {
  const root = parse(path, text);
  const { [NAME]: _, ...others } = root[servers] ?? {};
  const inputs = Object.values(Object(root["inputs"])).filter((item) => Object(item).id !== "codex-swarm-token");
  return { ...root, [servers]: others, inputs };
}

/** Every character of the one is in the other, in the same order; commas may come and go. */
function assertTextKept(before: string, after: string): void {
  let at = 0;
  for (const letter of before.replaceAll(/[\s,]/g, "")) {
    at = after.indexOf(letter, at) + 1;
    assert.ok(at > 0, `lost: ${letter}\n${after}`);
  }
}

async function roundTrip(
  yard: ClientYard,
  { client, text, way }: {
    readonly client: keyof typeof CLIENTS;
    readonly text: string;
    readonly way: keyof typeof WAYS;
  },
): Promise<void> {
  const path = await yard.write(client, text);
  const first = await yard.install(client, WAYS[way]);
  assert.equal(first.error, "");
  const installed = await readText(path);
  const servers = CLIENTS[client];
  const entry = Object(parse(path, installed)[servers]?.[NAME]);
  assert.equal(
    way.startsWith("http") ? entry.url : entry.command,
    {
      stdio: "/opt/swarm/codex-swarm",
      "from source": "/opt/deno",
      http: RUNNING.url,
      "http without a token": RUNNING.url,
    }[way],
  );
  assert.deepEqual(restOf(path, installed, servers), { [servers]: {}, ...Object(restOf(path, text, servers)) });
  assertTextKept(text, installed);
  assert.equal(installed.startsWith("\ufeff"), text.startsWith("\ufeff"));
  if (text.includes("\r\n")) assert.doesNotMatch(installed, /(?<!\r)\n/);
  else assert.doesNotMatch(installed, /\r/);

  const names = namesIn(dirname(path));
  const second = await yard.install(client, WAYS[way]);
  assert.match(second.output, /already: nothing to do\./);
  assert.equal(await readText(path), installed);
  assert.deepEqual(namesIn(dirname(path)), names);

  assert.equal((await yard.uninstall(client)).exitCode, 0);
  assert.equal(await readText(path), text);
  for (const name of namesIn(dirname(path))) await Deno.remove(`${dirname(path)}/${name}`, { recursive: true });
}

for (const client of ["claude-code", "cursor", "vscode", "codex"] as const) {
  for (const name of namesIn(`${FIXTURES}${client}`)) {
    Deno.test(`install, install and uninstall leave ${client}/${name} as it was`, async () => {
      await using yard = await clientYard();
      const text = await readText(`${FIXTURES}${client}/${name}`);
      for (const way of ["stdio", "from source", "http", "http without a token"] as const) {
        for (const variant of Object.values(VARIANTS)) {
          await roundTrip(yard, { client, text: variant(text), way });
        }
      }
    });

    Deno.test(`uninstall leaves ${client}/${name} with the same meaning when no backup is left`, async () => {
      await using yard = await clientYard();
      const text = await readText(`${FIXTURES}${client}/${name}`);
      const path = await yard.write(client, text);
      for (const options of Object.values(WAYS)) assert.equal((await yard.install(client, options)).exitCode, 0);
      for (const other of namesIn(dirname(path))) {
        if (other.includes("backup")) await Deno.remove(`${dirname(path)}/${other}`);
      }
      const { exitCode, output } = await yard.uninstall(client);
      assert.equal(exitCode, 0);
      if (/^Removed .* which held nothing/.test(output)) return;
      const left = await readText(path);
      assert.doesNotMatch(left.replaceAll(/"""[\s\S]*?"""/g, ""), /codex-swarm/);
      assert.deepEqual(restOf(path, left, CLIENTS[client]), restOf(path, text, CLIENTS[client]));
      assertTextKept(left, text);
    });
  }

  Deno.test(`install and uninstall of ${client} leave nothing where there was no file`, async () => {
    await using yard = await clientYard();
    await yard.install(client);
    await yard.install(client, WAYS.http);
    const path = yard.file(client);
    const { output } = await yard.uninstall(client);
    assert.match(output, /^Removed \S+, which held nothing but codex-swarm\./);
    assert.deepEqual(namesIn(dirname(path)), [`${path.slice(dirname(path).length + 1)}.codex-swarm-backup`]);
  });
}
