import assert from "node:assert/strict";
import { join } from "node:path";
import { isToken } from "../../src/config.ts";
import { readTokenFile } from "../../src/storage/token_file.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const isPosix = Deno.build.os !== "windows";
const OWN = { isMade: true, isToken };
const GIVEN = { isMade: false, isToken };

Deno.test("readTokenFile() makes a token for its owner alone, once", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "state", "token");
  const all = await Promise.all(Array.from({ length: 8 }, () => readTokenFile(path, OWN)));
  const [first] = all;
  assert.match(first?.token ?? "", /^[0-9a-f]{64}$/);
  assert.equal(new Set(all.map(({ token }) => token)).size, 1);
  assert.equal(all.filter(({ isNew }) => isNew).length, 1);
  assert.deepEqual(await readTokenFile(path, OWN), { token: first?.token, isNew: false, isOpen: false });
  assert.deepEqual([...Deno.readDirSync(join(temp.path, "state"))].map(({ name }) => name), ["token"]);
  if (isPosix) assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
});

Deno.test("readTokenFile() reads a token that somebody else has put there", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "token");
  Deno.writeTextFileSync(path, "  0123456789abcdef\r\n", { mode: 0o644 });
  assert.deepEqual(await readTokenFile(path, GIVEN), { token: "0123456789abcdef", isNew: false, isOpen: isPosix });
});

Deno.test("readTokenFile() writes nothing where a token stands: the disk may be full or read-only", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "token");
  const { token } = await readTokenFile(path, OWN);
  Deno.utimeSync(temp.path, 1, 1);
  assert.deepEqual(await readTokenFile(path, OWN), { token, isNew: false, isOpen: false });
  // The directory's own time tells of each file that is made in it.
  assert.deepEqual(Deno.statSync(temp.path).mtime, new Date(1_000));
});

Deno.test({
  name: "readTokenFile() calls a file open that others can read or change",
  ignore: !isPosix,
}, async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "token");
  Deno.writeTextFileSync(path, "0123456789abcdef\n");
  const open = [0o604, 0o640, 0o602, 0o620, 0o666];
  for (const mode of [...open, 0o600, 0o400, 0o711]) {
    Deno.chmodSync(path, mode);
    assert.equal((await readTokenFile(path, GIVEN)).isOpen, open.includes(mode), mode.toString(8));
  }
});

Deno.test("readTokenFile() says what is wrong with a file that holds no token, and never what it holds", async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "token");
  for (const text of ["", "short", "two words of a secret", "0123456789abcdef\n0123456789abcdef", "x".repeat(5_000)]) {
    Deno.writeTextFileSync(path, text);
    const message = await readTokenFile(path, GIVEN).then(() => "", ({ message }) => String(message));
    assert.match(
      message,
      /^Cannot use the token file .*token: expected one line .* Correct it, or leave --token-file out\.$/,
    );
    if (text !== "") assert.equal(message.includes(text), false);
  }
  await assert.rejects(readTokenFile(path, OWN), /Remove it to have a new one made/);
  await assert.rejects(readTokenFile(join(temp.path, "absent"), GIVEN), /Cannot use the token file .*absent/);
  await assert.rejects(readTokenFile(temp.path, GIVEN), /expected one line/);
});

Deno.test({ name: "readTokenFile() does not wait for whoever might write into a pipe", ignore: !isPosix }, async () => {
  await using temp = await tempDirectory();
  const path = join(temp.path, "token");
  await new Deno.Command("mkfifo", { args: [path] }).output();
  await assert.rejects(readTokenFile(path, GIVEN), /expected one line/);
});
