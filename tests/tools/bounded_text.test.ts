import assert from "node:assert/strict";
import {
  countFitting,
  cutEnd,
  cutMiddle,
  cutStart,
  joinBlocks,
  jsonLength,
  shareBudget,
} from "../../src/tools/bounded_text.ts";

const SHARES: readonly { readonly lengths: number[]; readonly total: number; readonly shares: number[] }[] = [
  { lengths: [], total: 100, shares: [] },
  { lengths: [10, 20, 30], total: 100, shares: [10, 20, 30] },
  { lengths: [100, 100, 100], total: 90, shares: [30, 30, 30] },
  { lengths: [1_000, 10, 1_000], total: 110, shares: [50, 10, 50] },
  { lengths: [0, 5, 0], total: 3, shares: [0, 3, 0] },
  { lengths: [5, 5], total: 0, shares: [0, 0] },
  { lengths: [5, 5], total: -1, shares: [0, 0] },
];

Deno.test("shareBudget() gives short texts all they need and the others the same share of the rest", () => {
  for (const { lengths, total, shares } of SHARES) assert.deepEqual(shareBudget(lengths, total), shares);
});

Deno.test("cutMiddle() keeps a text that fits", () => {
  assert.equal(cutMiddle("hello", 5, "/whole"), "hello");
});

Deno.test("cutMiddle() keeps both ends and names the length and the file", () => {
  const text = `${"a".repeat(5_000)}${"b".repeat(5_000)}`;
  const cut = cutMiddle(text, 1_000, "/tasks/1/answer.md");
  assert.equal(cut.length, 1_000);
  assert.match(
    cut,
    /^a{400,}\n\n\[… 10,000 characters in all, the middle is left out; whole: \/tasks\/1\/answer\.md …\]\n\nb{300,}$/,
  );
});

Deno.test("cutMiddle() never cuts a character in two", () => {
  for (const maxLength of [300, 301, 302, 303]) {
    const cut = cutMiddle("😀".repeat(1_000), maxLength, "/whole");
    assert.ok(cut.isWellFormed());
    assert.ok(cut.length <= maxLength);
  }
});

Deno.test("cutMiddle() keeps a text that is shorter than the words about the cut", () => {
  assert.equal(cutMiddle("short answer", 0, "/whole"), "short answer");
});

Deno.test("cutMiddle() leaves the mark alone when there is room for no more", () => {
  assert.match(cutMiddle("x".repeat(1_000), 10, "/whole"), /^\s*\[… 1,000 characters in all,.*\/whole …\]\s*$/s);
});

Deno.test("jsonLength() counts what JSON makes of a text", () => {
  assert.equal(jsonLength("abc"), 3);
  assert.equal(jsonLength('a"\n'), 5);
});

Deno.test("cutEnd() and cutStart() give one line of at most that many characters", () => {
  assert.equal(cutEnd(" a\n b\t c ", 10), "a b c");
  assert.equal(cutEnd("abcdefgh", 5), "abcd…");
  assert.equal(cutStart("abcdefgh", 5), "…efgh");
  assert.equal(cutStart("abc", 3), "abc");
  assert.ok(cutEnd("a😀😀", 3).isWellFormed());
  assert.ok(cutStart("😀😀a", 3).isWellFormed());
});

Deno.test("joinBlocks() keeps as many blocks as fit and counts the others", () => {
  assert.equal(joinBlocks([], 1_000), "");
  assert.equal(joinBlocks(["a", "b"], 1_000), "a\n\nb");
  const blocks = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(100));
  const text = joinBlocks(blocks, 500);
  assert.ok(text.length <= 500);
  assert.deepEqual(text.split("\n\n"), [...blocks.slice(0, 3), "… and 7 more: ask again for those."]);
  assert.equal(countFitting(blocks, 500), 3);
});

Deno.test("joinBlocks() never gives nothing", () => {
  const long = "a".repeat(500);
  assert.equal(joinBlocks([long, "b"], 300), `${"a".repeat(199)}…\n\n… and 1 more: ask again for those.`);
  assert.equal(joinBlocks([long], 300), `${"a".repeat(299)}…`);
  assert.deepEqual([countFitting([long, "b"], 100), countFitting([], 100)], [1, 0]);
});
