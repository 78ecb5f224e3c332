/** Tasks that one server has planned and another one starts, which has another environment. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { SwarmOptions } from "../helpers/swarm.ts";
import { startTask, waitForStatus } from "../helpers/tasks.ts";

const ignore = Deno.build.os === "windows";

interface Echo {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Leaves a task in the queue of a server that is killed; gives its id. */
async function leaveQueued(yard: ServersYard, options: SwarmOptions = {}): Promise<string> {
  await using planner = await yard.start({ ...options, args: [...options.args ?? [], "--max-concurrent", "1"] });
  await waitForStatus(planner, await startTask(planner, "fake:hold(never)"), "running");
  const id = await startTask(planner, "fake:echo_args");
  await killServer(planner);
  return id;
}

/** What the task's agent was started with, by a server with these options. */
async function startElsewhere(yard: ServersYard, id: string, options: SwarmOptions = {}): Promise<Echo> {
  await using starter = await yard.start({ ...options, args: [...options.args ?? [], "--max-concurrent", "2"] });
  return JSON.parse((await waitForStatus(starter, id, "completed")).answer);
}

function exclusionOf({ args }: Echo): string | undefined {
  return args.find((arg) => arg.startsWith("shell_environment_policy.exclude="))?.split("=")[1];
}

Deno.test({ name: "a task is kept from the secrets of the server that starts it, too", ignore }, async () => {
  await using yard = await serversYard();
  const id = await leaveQueued(yard, { env: { PLANNER_KEY: "1", SHARED_KEY: "2" } });
  const env = { STARTER_KEY: "3", SHARED_KEY: "4", GIVEN_KEY: "5" };
  const echo = await startElsewhere(yard, id, { env, args: ["--env", "GIVEN_KEY=6"] });
  assert.equal(exclusionOf(echo), '["PLANNER_KEY","SHARED_KEY","STARTER_KEY"]');
});

Deno.test(
  { name: "a task whose own configuration says what commands see is kept from nothing else", ignore },
  async () => {
    await using yard = await serversYard();
    await Deno.writeTextFile(join(yard.codex.home, "config.toml"), '[shell_environment_policy]\ninherit = "core"\n');
    const id = await leaveQueued(yard);
    assert.equal(exclusionOf(await startElsewhere(yard, id, { env: { STARTER_KEY: "3" } })), undefined);
  },
);
