import assert from "node:assert/strict";
import type { Client } from "@modelcontextprotocol/client";
import { startHttpServer } from "../helpers/http_server.ts";
import { waitFor } from "../helpers/wait_for.ts";

const TASKS = "codex-swarm:///tasks";

/** Counts what a client is told of. */
function countUpdates(client: Client): Map<string, number> {
  const counts = new Map<string, number>();
  client.setNotificationHandler("notifications/resources/updated", ({ params: { uri } }) => {
    counts.set(uri, (counts.get(uri) ?? 0) + 1);
  });
  return counts;
}

Deno.test("clients of both eras are told over HTTP of what they have subscribed to, and of nothing else", async () => {
  await using server = await startHttpServer();
  await using old = await server.connect({ era: "2025" });
  await using stranger = await server.connect({ era: "2025" });
  await using first = await server.connect({ era: "2026" });
  await using second = await server.connect({ era: "2026" });
  await using third = await server.connect({ era: "2026" });
  const clients = [old, stranger, first, second, third];
  const counts = clients.map(({ client }) => countUpdates(client));
  const { structured: { task_id } } = await old.call("codex_async", { prompt: "fake:command(make) fake:hold(go)" });
  await waitFor(async () => {
    const { structured } = await old.call("codex_status", { task_ids: [task_id] });
    return structured.tasks[0].last_command;
  }, { message: "the agent to work, after its task was noted as running" });
  const uri = `${TASKS}/${task_id}/diff`;
  await old.client.subscribeResource({ uri });
  await assert.rejects(old.client.subscribeResource({ uri: `${TASKS}/00000000` }), /Unknown resource/);
  const listening = await first.client.listen({ resourceSubscriptions: [uri, `${TASKS}/00000000`] });
  assert.deepEqual(listening.honoredFilter, { resourceSubscriptions: [uri] });
  const left = await second.client.listen({ resourceSubscriptions: [uri] });
  await third.client.listen({ resourceSubscriptions: [uri] });
  await left.close();
  // The server hears of the end of a stream when its connection is closed, which is before this one is answered.
  await second.client.listTools();

  await Deno.writeTextFile(`${server.cwd}/go`, "");
  const told = (): (number | undefined)[] => counts.map((count) => count.get(uri));
  await waitFor(() => told()[0] === 1 && told()[2] === 1 && told()[4] === 1, { message: "updates" });
  // The record of a task that has ended does not change any more; that of another one does, which is told to a witness.
  const witness = await first.client.listen({ resourceSubscriptions: [TASKS] });
  await first.call("codex_async", { prompt: "fake:say(done)" });
  await waitFor(() => counts[2]?.get(TASKS), { message: "an update of the tasks" });
  assert.deepEqual(told(), [1, undefined, 1, undefined, 1]);
  await witness.close();
});
