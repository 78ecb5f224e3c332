/** Tasks that one server has planned and another one starts, which has another environment. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { SwarmOptions } from "../helpers/swarm.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { lookAt, startTask, waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

interface Echo {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Leaves a task in the queue of a server that is killed; gives its id. */
async function leaveQueued(
  yard: ServersYard,
  options: SwarmOptions = {},
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  await using planner = await yard.start({ ...options, args: [...options.args ?? [], "--max-concurrent", "1"] });
  await waitForStatus(planner, await startTask(planner, "fake:hold(never)"), "running");
  const id = await startTask(planner, "fake:echo_args", parameters);
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

for (const who of ["its server", "its call"]) {
  Deno.test(
    { name: `a task runs on the CODEX_HOME that ${who} has named, whichever server starts it`, ignore },
    async () => {
      await using yard = await serversYard();
      await using other = await installFakeCodex();
      const { path, home } = yard.codex;
      const elsewhere = { codex: { path, home: other.home } };
      const id = who === "its server"
        ? await leaveQueued(yard, { ...elsewhere, args: ["--env", `CODEX_HOME=${home}`] })
        : await leaveQueued(yard, elsewhere, { env: { CODEX_HOME: home } });
      assert.equal((await startElsewhere(yard, id, elsewhere)).env["CODEX_HOME"], home);
    },
  );
}

for (
  const { what, planner, stranger: options, starter, name, value } of [
    {
      what: "whose account is another one than this server's",
      planner: { env: { CODEX_API_KEY: "theirs" } },
      stranger: { env: { CODEX_API_KEY: "ours" } },
      starter: { env: { CODEX_API_KEY: "theirs" } },
      name: "CODEX_API_KEY",
      value: "theirs",
    },
    {
      what: "whose server was given variables that this one was not",
      planner: { args: ["--env", "FAKE_SETTING=first"] },
      stranger: { env: { FAKE_SETTING: "ours" } },
      starter: { args: ["--env", "FAKE_SETTING=second"] },
      name: "FAKE_SETTING",
      value: "second",
    },
  ]
) {
  Deno.test({ name: `a task ${what} is left to a server that can run it`, ignore }, async () => {
    await using yard = await serversYard();
    const id = await leaveQueued(yard, planner);
    {
      await using stranger = await yard.start({ ...options, args: ["--max-concurrent", "2"] });
      await waitFor(() => stranger.process.stderr.includes("a task is left to other servers"), {
        message: "the task to be left",
      });
      assert.equal((await lookAt(stranger, id)).status, "queued");
    }
    assert.equal((await startElsewhere(yard, id, starter)).env[name], value);
  });
}
