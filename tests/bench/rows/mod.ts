/** All rows, in the order in which they are measured. */
import type { Row } from "../row.ts";
import { boot } from "./boot.ts";
import { cancel } from "./cancel.ts";
import { completion } from "./completion.ts";
import { forms } from "./forms.ts";
import { idle } from "./idle.ts";
import { list } from "./list.ts";
import { massExit } from "./mass_exit.ts";
import { memory } from "./memory.ts";
import { restart } from "./restart.ts";
import { spawn } from "./spawn.ts";
import { statusEvents } from "./status_events.ts";
import { throughput } from "./throughput.ts";
import { waitFinished } from "./wait_finished.ts";
import { worktrees } from "./worktrees.ts";

export const ROWS: readonly Row[] = [
  boot,
  forms,
  spawn,
  throughput,
  completion,
  waitFinished,
  statusEvents,
  list,
  memory,
  cancel,
  restart,
  idle,
  massExit,
  worktrees,
];
