/** What is told of the agents of one call: a list in the order of the specs, within what the client passes on. */
import { isFinished, type Task } from "../task/task.ts";
import { agentFields, agentStatus } from "./agent_facts.ts";
import type { AgentErrorPayload } from "./agent_error.ts";
import type { EndedAgent, StartedAgent } from "./agent_batch.ts";
import { failurePayload, hasEnded } from "./agent_failure.ts";
import { agentOutput } from "./agent_output.ts";
import { cutEnd, shareBudget, takeFitting } from "./bounded_text.ts";
import { type Agent, joinedField } from "./start_agent.ts";
import { threadIdOf } from "./task_facts.ts";
import type { ToolAnswer, ToolCall } from "./tool.ts";

/** Parts of an answer that the list, and what we tell beside it, may take; as text the list is longer than as data. */
const LIST_SHARE = 0.6;
const OWN_SHARE = 0.3;
/** What stands around an output or an error in the list, in characters. */
const AROUND = 40;
const BARE_MESSAGE = 60;

type Item = Readonly<Record<string, unknown>>;

/** The results of all agents; when there is little room, each has its share of it. */
export async function presentEnded(batch: readonly EndedAgent[], call: ToolCall): Promise<ToolAnswer> {
  const room = call.answerChars * LIST_SHARE;
  const wanted = await Promise.all(batch.map((agent, index) => itemOf(agent, { index, maxLength: room })));
  const lengths = wanted.map((item) => JSON.stringify(item).length + 1);
  const shares = shareBudget(lengths, room);
  const items = await Promise.all(batch.map(async (agent, index) => {
    const [whole, share = 0, length = 0] = [wanted[index], shares[index], lengths[index]];
    return whole !== undefined && length <= share ? whole : await itemOf(agent, { index, maxLength: share });
  }));
  const own = batch.flatMap((agent, index) => "view" in agent ? [ownOf(agent, index)] : []);
  return listAnswer(items, own, call);
}

/** The ids of agents that nobody waits for. */
export function presentStarted(
  batch: readonly StartedAgent[],
  { maxParallel, call }: { readonly maxParallel: number; readonly call: ToolCall },
): ToolAnswer {
  const items = batch.map((agent, index) => ({
    ...placeOf(agent, index),
    ..."task" in agent ? agentFields(agent.task) : { error: agent.error },
  }));
  const bare = batch.map((agent, index) => ({
    ...placeOf(agent, index),
    ..."task" in agent ? { task_id: agent.task.id } : { error: bareError(agent.error) },
  }));
  const isFitting = JSON.stringify(items).length <= call.answerChars * LIST_SHARE;
  const agents = batch.flatMap((agent) => "task" in agent ? [agent] : []);
  const open = agents.filter(({ task }) => !isFinished(task)).length;
  const queue = open > maxParallel ? ` At most ${maxParallel} of them run at once, the others are queued.` : "";
  const note = `${startWords(agents)}${queue} ` +
    "get_agent_status(task_id) tells of one, codex_wait(task_ids) waits for many.";
  const answer = listAnswer(isFitting ? items : bare, [], call);
  return { ...answer, structured: { ...answer.structured, note } };
}

/** Which call has started the agents. */
function startWords(agents: readonly Agent[]): string {
  const earlier = agents.filter(({ isEarlier }) => isEarlier === true).map(({ task }) => task);
  const own = agents.filter(({ isEarlier }) => isEarlier !== true).map(({ task }) => task);
  const words = `${own.length} agents were started${lifetimeOf(own)}.`;
  if (earlier.length === 0) return words;
  const ended = earlier.filter(isFinished).length;
  const joined = `An earlier call with this request-key started ${earlier.length} agents, ${ended} of which have ended`;
  return own.length === 0 ? `${joined}; this one started none.` : `${joined}. ${words}`;
}

/** All agents that a call starts have the same. */
function lifetimeOf([task]: readonly Task[]): string {
  if (task === undefined) return "";
  return task.spec.lifetime === "detached" ? "; all run on when this server ends" : "; all end with this server";
}

/** A spec's place, and whether an earlier call has started its agent. */
function placeOf(agent: StartedAgent | EndedAgent, index: number): Item {
  return { index: String(index), ...joinedField("error" in agent ? false : agent.isEarlier) };
}

function listAnswer(items: readonly Item[], own: readonly Item[], call: ToolCall): ToolAnswer {
  const { shown, rest } = takeFitting(items, call.answerChars * (LIST_SHARE + 0.1));
  const told = takeFitting(own, call.answerChars * OWN_SHARE).shown;
  const blocks = shown.map((item) => JSON.stringify(item, null, 2));
  return {
    text: blocks.join("\n"),
    blocks,
    structured: {
      result: shown,
      ...(rest === 0 ? {} : { results_not_shown: rest }),
      ...(told.length === 0 ? {} : { agents: told }),
    },
  };
}

async function itemOf(
  agent: EndedAgent,
  { index, maxLength }: { readonly index: number; readonly maxLength: number },
): Promise<Item> {
  const place = placeOf(agent, index);
  if ("error" in agent) {
    const item = { ...place, error: agent.error };
    return JSON.stringify(item).length <= maxLength ? item : { ...place, error: bareError(agent.error) };
  }
  const { view } = agent;
  if (!hasEnded(view)) throw new Error(`task ${view.task.id} has not ended`);
  const { agentLog } = view.task.spec;
  const log = agentLog === undefined ? {} : { log_file: agentLog };
  const around = JSON.stringify({ ...place, ...log }).length + AROUND;
  const item = view.task.state.status === "completed"
    ? { ...place, output: await agentOutput(view, maxLength - around), ...log }
    : { ...place, error: await failurePayload(view, maxLength - around), ...log };
  if (JSON.stringify(item).length <= maxLength) return item;
  const { log_file: _log, ...rest } = item;
  return "error" in rest ? { ...place, error: bareError(rest.error) } : rest;
}

function bareError({ code, kind, message }: AgentErrorPayload): AgentErrorPayload {
  return { code, kind, message: cutEnd(message, BARE_MESSAGE) };
}

function ownOf({ view }: Extract<EndedAgent, { view: unknown }>, index: number): Item {
  const { task, answer, directory } = view;
  return {
    index: String(index),
    task_id: task.id,
    status: agentStatus(task),
    thread_id: threadIdOf(view),
    ...(answer === null ? {} : { output_file: directory.answerFile }),
  };
}
