import type { Task } from "../../src/task/task.ts";
import { SPEC } from "./example_spec.ts";

/** An id that says which example it is of. */
export function exampleId(number: number): string {
  return number.toString(16).padStart(8, "0");
}

/** A queued task, started `number` seconds after example 0. */
export function exampleTask(number: number, repository = "/repo/.git"): Task {
  return {
    id: exampleId(number),
    createdAt: new Date(1_790_000_000_000 + 1_000 * number),
    repository,
    depth: 0,
    spec: SPEC,
    state: { status: "queued" },
  };
}
