/** Makes random histories. Pure: the same seed gives the same one. */
import { seededRandom } from "../helpers/random.ts";
import { type Action, type AgentPlan, type Ending, type Starter, type Step, STRANGERS, TURNS } from "./steps.ts";

type Random = (below: number) => number;

export interface StepsOptions {
  readonly seed: number;
  /** Number of the first step. */
  readonly from: number;
  readonly count: number;
  /** Places for servers. */
  readonly servers: number;
  /** The server in the first place is never ended. */
  readonly isFirstKept: boolean;
  /** How many agents may be left working, so that others are queued. */
  readonly mostHeld: number;
  /** Steps from one comparison of all servers to the next. */
  readonly compareEvery: number;
  /** Steps from one rest to the next. */
  readonly restEvery: number;
}

/** How often each kind comes, in thousandths of the whole; `spawn` is what remains. */
const WEIGHTS: readonly (readonly [Action["kind"], number])[] = [
  ["release", 220],
  ["meet", 60],
  ["wait", 80],
  ["status", 80],
  ["cancel", 75],
  ["reply", 50],
  ["start server", 45],
  ["kill server", 25],
  ["end server", 20],
  ["kill shim", 30],
  ["kill agent", 35],
  ["leave call", 15],
  ["age out", 12],
  ["stranger", 10],
  ["recycled", 8],
];
const STARTERS: readonly Starter[] = ["codex_async", "codex_async", "codex_async", "spawn_agent_async", "codex"];
const MOST_STRANGERS = 40;

/** What the maker of a history remembers of it. */
interface Memory {
  /** Numbers of the steps that started agents, the newest last. */
  readonly started: number[];
  /** Those of them that will not end by themselves. */
  readonly held: Set<number>;
  strangers: number;
}

/** Makes a history of `count` steps; comparisons and rests come in addition. */
export function generateSteps(options: StepsOptions): Step[] {
  const random = seededRandom(options.seed);
  const memory: Memory = { started: [], held: new Set(), strangers: 0 };
  const steps: Step[] = [];
  const add = (action: Action, isSettled: boolean): void =>
    void steps.push({ number: options.from + steps.length, isSettled, ...action });
  const addRest = (): void => {
    if (!options.isFirstKept) add({ kind: "blackout" }, true);
    add({ kind: "rest" }, true);
    memory.held.clear();
    memory.started.splice(0, memory.started.length - 5);
  };
  add({ kind: "start server", server: 0 }, true);
  for (let made = 1; made < options.count; made++) {
    add(nextAction(random, { memory, options, number: options.from + steps.length }), random(3) > 0);
    if (made % options.restEvery === 0) addRest();
    else if (made % options.compareEvery === 0) add({ kind: "compare" }, true);
  }
  addRest();
  return steps;
}

function nextAction(
  random: Random,
  { memory, options, number }: { readonly memory: Memory; readonly options: StepsOptions; readonly number: number },
): Action {
  const kind = chooseKind(random);
  const server = random(options.servers);
  const mortal = options.isFirstKept ? 1 + random(options.servers - 1) : server;
  const { started, held } = memory;
  /** A step that started an agent, the newest most often. */
  const any = (): number => started[started.length - 1 - Math.min(random(12), random(started.length))] ?? 0;
  const some = (): number[] => [...new Set(Array.from({ length: 1 + random(4) }, any))];
  const working = (): number => random(4) === 0 ? any() : [...held][random(held.size)] ?? any();
  const spawn = (): Action => {
    started.push(number);
    const agent = randomAgent(random, { mayHold: held.size < options.mostHeld });
    if (agent.ending === null) held.add(number);
    return { kind: "spawn", server, tool: pick(random, STARTERS), agent };
  };
  // Until there is a crowd more begins than ends.
  const isEnd = kind === "release" || kind === "cancel" || kind === "kill agent";
  if (started.length < 2 || isEnd && held.size < options.mostHeld / 2 && random(3) > 0) return spawn();
  switch (kind) {
    case "start server":
      return { kind, server };
    case "end server":
      return { kind, server: mortal };
    case "kill server":
      return { kind, server: mortal };
    case "reply": {
      const of = any();
      started.push(number);
      const agent = randomAgent(random, { mayHold: held.size < options.mostHeld });
      if (agent.ending === null) held.add(number);
      const when = random(2) === 0 ? "after" : "now";
      // A thread's sandbox is its first call's.
      return { kind, server, of, when, agent: { ...agent, hasChild: false, timeout: null } };
    }
    case "release": {
      const of = working();
      held.delete(of);
      return { kind, of, ending: randomEnding(random) };
    }
    case "wait":
      return { kind, server, of: some(), until: random(2) === 0 ? "all" : "any" };
    case "status":
      return { kind, server, of: some() };
    case "cancel": {
      const of = working();
      held.delete(of);
      return { kind, server, of };
    }
    case "kill agent": {
      const of = working();
      held.delete(of);
      return { kind, of };
    }
    case "meet":
      return { kind, of: started.at(-1) ?? 0 };
    case "kill shim":
      return { kind, of: working() };
    case "leave call":
      return { kind, of: working() };
    case "age out":
      return { kind, share: (1 + random(9)) / 10 };
    case "stranger":
    case "recycled":
      if (++memory.strangers > MOST_STRANGERS) return spawn();
      return kind === "recycled" ? { kind, of: any() } : { kind, of: any(), looks: pick(random, STRANGERS) };
    default:
      return spawn();
  }
}

function chooseKind(random: Random): Action["kind"] {
  let at = random(1000);
  for (const [kind, weight] of WEIGHTS) {
    if (at < weight) return kind;
    at -= weight;
  }
  return "spawn";
}

function randomAgent(random: Random, { mayHold }: { readonly mayHold: boolean }): AgentPlan {
  return {
    ending: mayHold && random(3) > 0 ? null : randomEnding(random),
    signals: pick(random, [["int", "term"], ["int", "term"], ["int", "term"], ["int", "term"], ["term"], []]),
    hasChild: random(5) === 0,
    timeout: random(25) === 0 ? 2 : null,
  };
}

function randomEnding(random: Random): Ending {
  const turn = random(2) === 0 ? "completed" : pick(random, TURNS);
  if (turn === "killed") return { turn, code: 137 };
  const isOdd = random(6) === 0;
  if (turn === "completed") return { turn, code: isOdd ? 1 + random(120) : 0 };
  return { turn, code: isOdd ? 0 : 1 + random(120) };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random(choices.length)];
  if (choice === undefined) throw new Error("there is nothing to choose from");
  return choice;
}
