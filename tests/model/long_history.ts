/** `deno task test:model [--seed N] [--steps N]`: a random history of 2,000 steps; MODEL_SEED names its seed too. */
import { parseArgs } from "node:util";
import { checkHistories } from "./check_histories.ts";
import { print } from "./print.ts";

const { values } = parseArgs({ options: { seed: { type: "string" }, steps: { type: "string" } } });
const seed = Number(values.seed ?? (Deno.env.get("MODEL_SEED") || 1));
const count = Number(values.steps ?? 2_000);
const { broken, figures } = await checkHistories({ seed, count, shrinkMs: 180_000 });
print(`seed ${seed}: ${figures}`);
if (broken !== "") print(broken);
print(broken === "" ? "1 passed, 0 failed" : "0 passed, 1 failed");
Deno.exit(broken === "" ? 0 : 1);
