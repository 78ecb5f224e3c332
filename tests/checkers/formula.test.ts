/** The Homebrew formula, as Ruby's own parser reads it. */
import assert from "node:assert/strict";
import { packagingFiles } from "../../.github/scripts/packaging.ts";
import { exampleSums, sumsText } from "../helpers/example_sums.ts";
import { askChecker, READ_TEXT } from "../helpers/node_checkers.ts";

const FORMULA = packagingFiles("1.2.3", sumsText(exampleSums("1.2.3")))["codex-swarm.rb"] ?? "";

/** Prism is the parser of Ruby 3.4: what `ruby -wc` says comes from it. */
const PRISM = `${READ_TEXT}
import { loadPrism } from "@ruby/prism";
const { errors, warnings } = (await loadPrism())(text);
console.log(JSON.stringify([...errors, ...warnings].map(({ message }) => message)));`;

Deno.test("Ruby's parser finds nothing wrong with the formula", async () => {
  assert.deepEqual(await askChecker(PRISM, FORMULA), []);
});

Deno.test("Ruby's parser finds what is wrong with a formula", async () => {
  for (const broken of [FORMULA.replace(/end\n$/, ""), FORMULA.replace(' "MIT"', ' "MIT'), FORMULA.replace("do", "")]) {
    assert.notDeepEqual(await askChecker(PRISM, broken), []);
  }
});

Deno.test("`ruby -wc` says the same, where there is a Ruby", async () => {
  const check = async (text: string): Promise<boolean | null> => {
    const command = new Deno.Command("ruby", { args: ["-wc"], stdin: "piped", stdout: "null", stderr: "piped" });
    try {
      const child = command.spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const { success, stderr } = await child.output();
      return success && stderr.length === 0;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  };
  const [whole, broken] = [await check(FORMULA), await check(FORMULA.replace(/end\n$/, ""))];
  assert.ok(whole === null ? broken === null : whole && broken === false);
});
