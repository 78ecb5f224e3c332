/**
 * The program in each form in which it can be had, the compiled one made with the base that {@linkcode findBase} finds.
 * `CODEX_SWARM_PROGRAM` names a compiled one instead, of a release, which is then looked at alone.
 */
import { findBase } from "../helpers/program_base.ts";
import { checksOf } from "../helpers/program_checks.ts";
import { bundled, compiled, given, namedProgram, type ProgramForm, sources } from "../helpers/program_forms.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("the program does the same in each of its forms", async (t) => {
  await using directory = await tempDirectory();
  for (const form of await makeForms(directory.path)) {
    for (const { name, run } of checksOf(form)) await t.step(`${form.name}: ${name}`, () => run(form));
  }
});

async function makeForms(directory: string): Promise<ProgramForm[]> {
  const named = namedProgram();
  if (named !== null) return [await given(named, directory)];
  const base = await findBase();
  Deno.stderr.writeSync(new TextEncoder().encode(`Compiled with a base ${base.words}.\n`));
  const bundle = await bundled(directory);
  return [sources(), bundle, await compiled(bundle.file, base)];
}
