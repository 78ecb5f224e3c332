import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageLimitFiles } from "../../src/storage/usage_limit_file.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ACCOUNT = "0123456789abcdef";
const LIMIT = { until: new Date("2026-11-20T12:00:00.000Z"), attempts: 3 };

Deno.test("UsageLimitFiles keeps the limit of each account for all servers", async () => {
  await using temp = await tempDirectory();
  const directory = join(temp.path, "state", "limits");
  const [ours, theirs] = [new UsageLimitFiles(directory), new UsageLimitFiles(directory)];
  assert.equal(await ours.readLimit(ACCOUNT), null);
  await ours.clearLimit(ACCOUNT);
  await ours.writeLimit(ACCOUNT, LIMIT);
  assert.deepEqual(await theirs.readLimit(ACCOUNT), LIMIT);
  assert.equal(await theirs.readLimit("fedcba9876543210"), null);
  await theirs.writeLimit(ACCOUNT, { ...LIMIT, attempts: 4 });
  assert.deepEqual(await ours.readLimit(ACCOUNT), { ...LIMIT, attempts: 4 });
  await theirs.clearLimit(ACCOUNT);
  assert.equal(await ours.readLimit(ACCOUNT), null);
  if (Deno.build.os !== "windows") assert.equal((Deno.statSync(directory).mode ?? 0) & 0o777, 0o700);
});

for (
  const text of ["", "{", "null", '{"until":"soon","attempts":0}', '{"until":"2026-11-20T12:00:00.000Z"}', "\0\0\0\0"]
) {
  Deno.test(`UsageLimitFiles takes ${JSON.stringify(text)} for no limit`, async () => {
    await using temp = await tempDirectory();
    Deno.writeTextFileSync(join(temp.path, ACCOUNT), text);
    assert.equal(await new UsageLimitFiles(temp.path).readLimit(ACCOUNT), null);
  });
}

Deno.test("F36: UsageLimitFiles makes no path of an account's name", async () => {
  await using temp = await tempDirectory();
  const files = new UsageLimitFiles(join(temp.path, "limits"));
  for (const account of ["", "../evil", "a/b", ".", ACCOUNT]) {
    await files.writeLimit(account, LIMIT);
    assert.deepEqual(await files.readLimit(account), LIMIT);
  }
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path), ({ name }) => name), ["limits"]);
  assert.equal(Array.from(Deno.readDirSync(join(temp.path, "limits"))).length, 5);
});

Deno.test("takeProbe() lets one server of an account try, and the next one when it is through", async () => {
  await using temp = await tempDirectory();
  const [ours, theirs] = [new UsageLimitFiles(temp.path), new UsageLimitFiles(temp.path)];
  const probe = await ours.takeProbe(ACCOUNT);
  assert.ok(probe);
  assert.equal(await ours.takeProbe(ACCOUNT), null);
  assert.equal(await theirs.takeProbe(ACCOUNT), null);
  using other = await theirs.takeProbe("fedcba9876543210");
  assert.ok(other);
  probe[Symbol.dispose]();
  using next = await theirs.takeProbe(ACCOUNT);
  assert.ok(next);
});

Deno.test("takeProbe() lets one at a time try where no file can be locked", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "file");
  Deno.writeTextFileSync(file, "");
  const files = new UsageLimitFiles(join(file, "limits"));
  const probe = await files.takeProbe(ACCOUNT);
  assert.ok(probe);
  assert.equal(await files.takeProbe(ACCOUNT), null);
  probe[Symbol.dispose]();
  assert.ok(await files.takeProbe(ACCOUNT));
});

Deno.test("nextChange() settles when another server notes or lifts the account's limit, or the signal comes", async () => {
  await using temp = await tempDirectory();
  const directory = join(temp.path, "limits");
  const [ours, theirs] = [new UsageLimitFiles(directory), new UsageLimitFiles(directory)];
  const never = new AbortController();
  let otherChanges = 0;
  const other = ours.nextChange("fedcba9876543210", never.signal).then(() => otherChanges++);
  for (const change of [() => theirs.writeLimit(ACCOUNT, LIMIT), () => theirs.clearLimit(ACCOUNT)]) {
    const changed = ours.nextChange(ACCOUNT, never.signal);
    await change();
    await changed;
  }
  assert.equal(otherChanges, 0);
  never.abort();
  await other;
  await ours.nextChange(ACCOUNT, never.signal);
  ours.close();
});
