import manifest from "../../deno.json" with { type: "json" };

/** The permission flags under which the program is meant to run; `deno.json`'s `start` is the one place that lists them. */
export const RUN_FLAGS: readonly string[] = manifest.tasks.start.split(" ").slice(2, -1);
