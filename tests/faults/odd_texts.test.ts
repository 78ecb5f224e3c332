/** Texts that were never meant well: prompts, ids, paths and events. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseEvent } from "../../src/codex/parse_events.ts";
import { TailedFile } from "../../src/storage/tailed_file.ts";
import { addEvent, emptyProgress } from "../../src/task/progress.ts";
import type { Progress } from "../../src/task/task.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { listProcesses } from "../helpers/processes.ts";
import { seededRandom } from "../helpers/random.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const encoder = new TextEncoder();

/** Good lines, and what becomes of a file that a crash, another program or a later Codex writes into. */
const LINES: readonly (string | Uint8Array)[] = [
  '{"type":"thread.started","thread_id":"01a1f744-634e-71b1-a39a-93788d7eea39"}',
  '{"type":"turn.started"}',
  '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"é 🐝"}}',
  new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0xff, 0xfe, 0x22, 0x7d]),
  "\0\0\0\0",
  '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"a\\u0000b"}}',
  '{"type":"from.the.future","x":{"deep":[1,2,3]}}',
  '{"type":"item.completed","item":{"id":"item_2","type":"hologram"}}',
  '{"type":"item.completed"}',
  '{"type":"item.completed","item":{"id":"item_3","type":"command_execution"}}',
  '{"type":"turn.completed","usage":{"input_tokens":"many"}}',
  "{}",
  "[]",
  "null",
  '"text"',
  "",
  "   ",
  '{"type":"thread.started"',
  '{"type":"item.completed","item":{"id":"item_4","type":"agent_message","text":"last"}}',
];
const TORN = '{"type":"item.completed","item":{"id":"item_5","type":"agent_mes';

function fileOf(lines: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const parts = lines.map((line) => typeof line === "string" ? encoder.encode(line) : line);
  return new Uint8Array([...parts.flatMap((bytes) => [...bytes, 10]), ...encoder.encode(TORN)]);
}

/** What is made of a file that grows by pieces of these lengths, the last one again and again. */
async function readGrowing(bytes: Uint8Array, lengths: readonly number[]): Promise<Progress> {
  await using temp = await tempDirectory();
  const path = join(temp.path, "events.jsonl");
  const log = new TailedFile(path);
  let progress = emptyProgress();
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const length = lengths[Math.min(piece, lengths.length - 1)] ?? bytes.length;
    await Deno.writeFile(path, bytes.subarray(at, at + length), { append: true });
    at += length;
    for await (const line of log.read()) if (line.trim() !== "") progress = addEvent(progress, parseEvent(line));
  }
  const torn = log.takeTornTail();
  return torn === null ? progress : addEvent(progress, parseEvent(torn));
}

Deno.test("F18: of broken events all that can be read is, the rest is counted, however the file has grown", async () => {
  const bytes = fileOf(LINES);
  const whole = await readGrowing(bytes, [bytes.length]);
  assert.equal(whole.threadId, "01a1f744-634e-71b1-a39a-93788d7eea39");
  assert.equal(whole.lastMessage, "last");
  assert.ok(whole.unreadableEvents >= 5, `${whole.unreadableEvents}`);
  assert.ok(whole.unknownEvents >= 2, `${whole.unknownEvents}`);
  assert.deepEqual(await readGrowing(bytes, [1]), whole);
  const random = seededRandom(18);
  for (let round = 0; round < 10; round++) {
    const lengths = Array.from({ length: 200 }, () => 1 + random(40));
    assert.deepEqual(await readGrowing(bytes, lengths), whole, `round ${round}`);
    // In any other order nothing is worse than counted.
    const shuffled = LINES.toSorted(() => random(3) - 1);
    const once = await readGrowing(fileOf(shuffled), [bytes.length]);
    assert.deepEqual(await readGrowing(fileOf(shuffled), lengths), once, `round ${round}`);
    assert.deepEqual(
      [once.unreadableEvents, once.unknownEvents, once.events],
      [whole.unreadableEvents, whole.unknownEvents, whole.events],
    );
  }
});

Deno.test("F25: whatever is in a prompt reaches the agent byte by byte, by its input alone", async () => {
  await using swarm = await startSwarm();
  const marker = crypto.randomUUID();
  const prompts = [
    "--help",
    "-",
    `"double" 'single' \`back\` $(touch pwned) $HOME; echo \\ %s`,
    "\n\r\n\t\u0001\u001b[31m\u2028\u{1f41d}\ufeff",
    `--dangerously-bypass-approvals-and-sandbox\n--config=x="y"`,
    "x".repeat(1_000_000),
  ];
  const rows = await Promise.all(prompts.map(async (text) => {
    const prompt = `${text} ${marker} fake:echo_args fake:hold(go)`;
    const id = await startTask(swarm, prompt);
    const { answer } = await waitForTask(swarm, id, (task) => task.answer !== undefined);
    const { args, stdin_bytes, stdin_sha256 } = JSON.parse(answer);
    const bytes = encoder.encode(prompt);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { isWhole: stdin_bytes === bytes.length && stdin_sha256 === sha256, last: args.at(-1) };
  }));
  assert.deepEqual(rows, prompts.map(() => ({ isWhole: true, last: "-" })));
  assert.deepEqual((await listProcesses()).filter(({ command }) => command.includes(marker)), []);
  // The one character that no program could be sure to have got.
  const { text, isError } = await swarm.call("codex", { prompt: `a\0b ${marker}` });
  assert.deepEqual([isError, text], [true, "Cannot start: the prompt holds a NUL character. Remove it and try again."]);
  assert.deepEqual(Array.from(Deno.readDirSync(swarm.cwd), ({ name }) => name).toSorted(), [".git", "README.md"]);
  await Deno.writeTextFile(join(swarm.cwd, "go"), "");
});

/** How a Codex may end before it has begun. */
const CRASHES = [
  { what: "panics", lines: "echo 'thread main panicked' >&2; exit 101", message: /101 \(Codex panicked\)/ },
  { what: "crashes", lines: "kill -s SEGV $$", message: /139 \(SIGSEGV/ },
  { what: "refuses", lines: "echo 'error: unexpected argument' >&2; exit 2", message: /unexpected argument/ },
];

Deno.test({
  name: "F26: a Codex that ends at its start is told so at once, with how it ended",
  ignore: Deno.build.os === "windows",
  async fn(t): Promise<void> {
    await using yard = await serversYard();
    const rows = CRASHES.map(({ what, lines }) => `*${what}*) ${lines} ;;`);
    const codex = wrapCodex(yard.codex, `case "$(cat)" in\n${rows.join("\n")}\nesac`);
    await using swarm = await yard.start({ codex });
    await swarm.call("codex_status");
    for (const { what, message } of CRASHES) {
      await t.step(what, async () => {
        const before = performance.now();
        const { isError, structured } = await swarm.call("codex", { prompt: what });
        assert.ok(performance.now() - before < 5_000, "it took long");
        assert.deepEqual([isError, structured.status], [true, "failed"]);
        assert.match(structured.failure.message, message);
      });
    }
    assert.equal(yard.codex.ledger().length, 0);
  },
});

Deno.test({
  name: "F36: no id leads anywhere but to a task, and odd paths of the state directory are paths",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using temp = await tempDirectory();
    const odd = join(temp.path, "a b\n$(c) 'd' \"e\" -n *");
    await Deno.mkdir(join(odd, "state"), { recursive: true });
    await Deno.writeTextFile(join(odd, "task.json"), "outside");
    const link = join(temp.path, "link to state");
    await Deno.symlink(join(odd, "state"), link);
    await using yard = await serversYard({ stateDir: link });
    await using swarm = await yard.start();
    const id = await startTask(swarm, "fake:hold(never)");
    await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
    // What the shim counts when the run is a second old comes in its own time.
    await waitFor(async () => (await Deno.stat(join(yard.task(id), "oom"))).size > 0, {
      message: "the shim to have counted",
    });
    const before = contentsOf(readTree(odd));
    const random = seededRandom(36);
    const pieces = ["..", "/", ".", "\\", "\0", "\n", " ", "~", "*", id, "tasks", "%2e%2e", "task.json", "state", "-"];
    const ids = Array.from({ length: 40 }, () => {
      const length = 1 + random(5);
      return Array.from({ length }, () => pieces[random(pieces.length)] ?? "").join("");
    }).filter((text) => text !== id);
    ids.push(
      `../${id}`,
      `../../tasks/${id}`,
      join(odd, "state", "tasks", id),
      "..",
      ".",
      "",
      `${id}/`,
      id.toUpperCase(),
    );
    for (const task_id of ids) {
      const { text, isError } = await swarm.call("codex_cancel", { task_id });
      assert.ok(isError, `${JSON.stringify(task_id)}: ${text}`);
    }
    for (const tool of ["codex_status", "codex_wait"]) {
      const { structured } = await swarm.call(tool, { task_ids: ids });
      for (const { status } of structured.tasks) {
        assert.ok(["not_found", "error", "NOT FOUND"].includes(status), status);
      }
    }
    assert.deepEqual(contentsOf(readTree(odd)), before);
    await swarm.call("codex_cancel", { task_id: id });
    const { structured } = await swarm.call("codex", { prompt: "fake:say(hello)" });
    assert.equal(structured.content, "hello");
    assert.deepEqual(
      Array.from(Deno.readDirSync(temp.path), ({ name }) => name).toSorted(),
      [odd, link].map((path) => path.slice(temp.path.length + 1)),
    );
    assert.deepEqual(Array.from(Deno.readDirSync(odd), ({ name }) => name).toSorted(), ["state", "task.json"]);
  },
});
