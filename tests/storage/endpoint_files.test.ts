import assert from "node:assert/strict";
import { join } from "node:path";
import { type Endpoint, listEndpoints, noteEndpoint } from "../../src/storage/endpoint_files.ts";
import { tryLock } from "../../src/storage/kernel_lock.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ONE: Endpoint = { url: "http://127.0.0.1:1/mcp", pid: 1, token: { kind: "file", path: "/t" } };
const TWO: Endpoint = { url: "http://127.0.0.1:2/mcp", pid: 2, token: { kind: "none" } };

Deno.test("listEndpoints() gives those of the servers that live, each until it ends", async () => {
  await using temp = await tempDirectory();
  const directory = join(temp.path, "http");
  assert.deepEqual(await listEndpoints(directory), []);
  const one = await noteEndpoint(directory, ONE);
  {
    using _two = await noteEndpoint(directory, TWO);
    assert.deepEqual(await listEndpoints(directory), [ONE, TWO]);
  }
  assert.deepEqual(await listEndpoints(directory), [ONE]);
  one[Symbol.dispose]();
  assert.deepEqual(await listEndpoints(directory), []);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
});

Deno.test("listEndpoints() removes what a killed server has left, and passes over what it cannot read", async () => {
  await using temp = await tempDirectory();
  using _living = await noteEndpoint(temp.path, ONE);
  // Nobody holds its lock.
  Deno.writeTextFileSync(join(temp.path, "0-9.json"), JSON.stringify({ ...TWO, pid: 9 }));
  using _odd = await noteEndpoint(temp.path, TWO);
  const [file = ""] = [...Deno.readDirSync(temp.path)].map(({ name }) => name).filter((name) =>
    name.endsWith("-2.json")
  );
  Deno.writeTextFileSync(join(temp.path, file), '{"url":1}');
  assert.deepEqual(await listEndpoints(temp.path), [ONE]);
  const names = [...Deno.readDirSync(temp.path)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.startsWith("0-9")), []);
  assert.ok(names.includes(file));
});

Deno.test("listEndpoints() reads what older servers note, which say nothing of tokens that stand in no file", async () => {
  await using temp = await tempDirectory();
  const noted = [];
  for (const [number, tokenFile] of ["/t", null].entries()) {
    const path = join(temp.path, `${number}-${number}.json`);
    noted.push(tryLock(`${path}.lock`));
    Deno.writeTextFileSync(path, JSON.stringify({ url: "http://h/mcp", pid: number, tokenFile }));
  }
  assert.deepEqual((await listEndpoints(temp.path)).map(({ token }) => token), [
    { kind: "file", path: "/t" },
    { kind: "given" },
  ]);
  for (const lock of noted) lock?.[Symbol.dispose]();
});
