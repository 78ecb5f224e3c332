/** What the real Codex's sandbox leaves in directories when an agent is stopped, and how it is tidied up. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codexOf, isRunning, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { startBareCodex } from "../helpers/bare_codex.ts";
import { scripted, startMockModel } from "../helpers/mock_model.ts";
import { makeCodexHome } from "../helpers/real_codex.ts";
import { type RealSwarm, startRealSwarm } from "../helpers/real_swarm.ts";
import { type TempDirectory, tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Other systems' sandboxes mount nothing.
const ignore = Deno.build.os !== "linux";
const WORKSPACE = { sandbox: "workspace-write" };
/** A directory of the test's own in the place of the machine's /tmp, where others may work. */
const withTmp = ({ path }: TempDirectory): { readonly env: { readonly TMPDIR: string } } => ({ env: { TMPDIR: path } });

/** The mount points in a working directory, which is a repository, and in the directory for temporary files. */
function mountPoints(cwd: string, tmp: TempDirectory): readonly string[] {
  const names = [".agents", ".aws", ".codex", ".git"];
  const found = (directory: string): string[] => names.filter((name) => exists(join(directory, name)));
  return [...found(cwd).filter((name) => name !== ".git"), ...found(tmp.path).map((name) => `tmp/${name}`)];
}

const ALL = [".agents", ".aws", ".codex", "tmp/.agents", "tmp/.aws", "tmp/.codex", "tmp/.git"];

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Starts an agent that is in the middle of a command. */
async function beginSleeping(swarm: RealSwarm): Promise<{ readonly id: string; readonly command: string }> {
  const command = uniqueSleep();
  const id = await swarm.begin(scripted({ shell: command }, { say: "slept" }), WORKSPACE);
  await untilRunning(command);
  return { id, command };
}

Deno.test({ name: "a Codex that SIGINT ends leaves empty mount points (control)", ignore }, async () => {
  await using model = await startMockModel();
  await using home = makeCodexHome();
  await using repo = await tempRepo();
  await using tmp = await tempDirectory();
  const command = uniqueSleep();
  const bare = { model, home: home.path, cwd: repo.path, ...WORKSPACE, ...withTmp(tmp) };
  await using codex = await startBareCodex(scripted({ shell: command }), bare);
  await untilRunning(command);
  codex.kill("SIGINT");
  await codex.ended;
  assert.deepEqual(mountPoints(repo.path, tmp), ALL);
  // Nor does the next Codex remove them: it takes them for somebody's own.
  await using next = await startBareCodex("mock:shell(sleep 0.1)", bare);
  assert.equal((await next.ended).code, 0);
  assert.deepEqual(mountPoints(repo.path, tmp), ALL);
});

Deno.test({ name: "codex_cancel leaves no empty mount points, and what was there before stays", ignore }, async () => {
  await using tmp = await tempDirectory();
  await using swarm = await startRealSwarm(withTmp(tmp));
  const { cwd } = swarm;
  const first = await beginSleeping(swarm);
  assert.deepEqual(mountPoints(cwd, tmp), ALL);
  await swarm.call("codex_cancel", { task_id: first.id });
  assert.deepEqual(mountPoints(cwd, tmp), []);

  await Deno.mkdir(join(cwd, ".agents"));
  const second = await beginSleeping(swarm);
  await swarm.call("codex_cancel", { task_id: second.id });
  assert.deepEqual(mountPoints(cwd, tmp), [".agents"]);
});

for (
  const { how, config, parameters } of [
    { how: "the call names", config: () => "", parameters: (root) => ({ "add-dirs": [root] }) },
    {
      how: "the call's config names",
      config: () => "",
      parameters: (root) => ({ config: { "sandbox_workspace_write.writable_roots": [root] } }),
    },
    {
      how: "the user's config.toml names",
      config: (root) => `[sandbox_workspace_write]\nwritable_roots = [${JSON.stringify(root)}]\n`,
      parameters: () => ({}),
    },
  ] satisfies readonly {
    how: string;
    config: (root: string) => string;
    parameters: (root: string) => Readonly<Record<string, unknown>>;
  }[]
) {
  Deno.test({ name: `codex_cancel leaves no empty mount points in a directory that ${how}`, ignore }, async () => {
    await using tmp = await tempDirectory();
    await using root = await tempDirectory();
    await using swarm = await startRealSwarm({ ...withTmp(tmp), config: config(root.path) });
    const command = uniqueSleep();
    const id = await swarm.begin(scripted({ shell: command }), { ...WORKSPACE, ...parameters(root.path) });
    await untilRunning(command);
    assert.deepEqual(mountPoints(swarm.cwd, root), ALL);
    await swarm.call("codex_cancel", { task_id: id });
    assert.deepEqual([...mountPoints(swarm.cwd, root), ...mountPoints(swarm.cwd, tmp)], []);
  });
}

for (
  const { how, args, parameters, end } of [
    {
      how: "its time limit",
      args: [],
      parameters: { timeout: 6 },
      end: async ({ swarm, id }) => void await swarm.ends(id),
    },
    {
      how: "the end of its server",
      args: ["--on-exit", "stop"],
      parameters: {},
      end: async ({ swarm }) => void await swarm.process.close(),
    },
    {
      how: "the death of its server",
      args: ["--on-exit", "stop", "--orphan-grace", "0"],
      parameters: {},
      end: async ({ swarm }) => {
        swarm.process.kill("SIGKILL");
        await swarm.process.ended;
      },
    },
    {
      how: "a prompt that it is told now",
      args: [],
      parameters: {},
      end: async ({ swarm, id }) => {
        const { thread_id: threadId } = await swarm.look(id);
        await swarm.call("codex_reply", { threadId, prompt: "mock:hello", when: "now" });
      },
    },
  ] satisfies readonly {
    how: string;
    args: readonly string[];
    parameters: Readonly<Record<string, unknown>>;
    end: (agent: { readonly swarm: RealSwarm; readonly id: string }) => Promise<void>;
  }[]
) {
  Deno.test({ name: `an agent that is broken off by ${how} leaves no empty mount points`, ignore }, async () => {
    await using tmp = await tempDirectory();
    await using swarm = await startRealSwarm({ ...withTmp(tmp), args });
    const command = uniqueSleep();
    const id = await swarm.begin(scripted({ shell: command }), { ...WORKSPACE, ...parameters });
    await untilRunning(command);
    assert.deepEqual(mountPoints(swarm.cwd, tmp), ALL);
    await end({ swarm, id });
    await waitFor(() => mountPoints(swarm.cwd, tmp).length === 0, { message: "the mount points to be gone" });
    assert.equal(await isRunning(command), false);
  });
}

Deno.test({ name: "the protection of an agent beside one that is cancelled stays until it ends", ignore }, async () => {
  await using tmp = await tempDirectory();
  await using swarm = await startRealSwarm(withTmp(tmp));
  const { cwd } = swarm;
  const attempt = "mkdir -p .codex; echo 'sandbox_mode = \"danger-full-access\"' >.codex/config.toml; echo ended $?";
  const other = await swarm.begin(
    scripted(
      { shell: `until [ -e go ]; do sleep 0.1; done; ${attempt}` },
      { shell: attempt },
      { say: "done" },
    ),
    WORKSPACE,
  );
  const cancelled = await beginSleeping(swarm);
  // In the middle of its first command it has its own mounts, in its second one it needs new ones.
  await waitFor(async () => (await swarm.look(other)).current_command !== undefined, {
    message: "the other's command",
  });
  await swarm.call("codex_cancel", { task_id: cancelled.id });
  assert.ok((await codexOf(other)).pid > 0);
  assert.deepEqual(mountPoints(cwd, tmp), ALL);
  await Deno.writeTextFile(join(cwd, "go"), "");
  const [task] = await swarm.ends(other);
  assert.deepEqual([task.status, task.answer], ["completed", "done"]);
  const said = JSON.stringify(swarm.model.requests.at(-1)?.body.input);
  assert.equal(said.split(".codex/config.toml: Read-only file system").length - 1, 2, said);
  assert.equal(said.split("ended 1").length - 1, 2, said);
  await waitFor(() => mountPoints(cwd, tmp).length === 0, { message: "the mount points to be gone" });
});

Deno.test({ name: "agents that are cancelled one after the other leave no empty mount points", ignore }, async () => {
  await using tmp = await tempDirectory();
  await using swarm = await startRealSwarm(withTmp(tmp));
  const agents = [await beginSleeping(swarm), await beginSleeping(swarm), await beginSleeping(swarm)];
  for (const { id } of agents) await swarm.call("codex_cancel", { task_id: id });
  await waitFor(() => mountPoints(swarm.cwd, tmp).length === 0, { message: "the mount points to be gone" });
});

Deno.test({ name: "agents that are cancelled together leave no empty mount points", ignore }, async () => {
  await using tmp = await tempDirectory();
  await using swarm = await startRealSwarm(withTmp(tmp));
  const agents = [await beginSleeping(swarm), await beginSleeping(swarm), await beginSleeping(swarm)];
  await Promise.all(agents.map(({ id }) => swarm.call("codex_cancel", { task_id: id })));
  await waitFor(() => mountPoints(swarm.cwd, tmp).length === 0, { message: "the mount points to be gone" });
});
