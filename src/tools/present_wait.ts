import { isFinished } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { countFitting, cutBlock, restLines } from "./bounded_text.ts";
import { boundedTaskData } from "./present_task.ts";
import { resultText, waitingText } from "./present_text.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** What is told of the tasks, and of which ends; an end that does not fit into text and data is told next time. */
export function presentWait(
  views: readonly ViewedTask[],
  { now, dataChars, textChars, isTimeOver }: {
    readonly now: Date;
    readonly dataChars: number;
    readonly textChars: number;
    readonly isTimeOver: boolean;
  },
): { readonly text: string; readonly tasks: Record<string, unknown>[]; readonly told: string[] } {
  const ended = views.filter(({ task }) => isFinished(task));
  const running = views.filter(({ task }) => !isFinished(task));
  const data = boundedTaskData(ended, { now, maxLength: dataChars });
  const candidates = ended.slice(0, data.shown);
  const waits = running.map((view) => waitingText(view, now, isTimeOver));
  const room = textChars - 100;
  const bare = candidates.map((view) => resultText(view, now, view.answer === null ? null : ""));
  // Many running tasks never keep an answer from being told.
  const around = bare.join("\n\n").length + Math.min(waits.join("\n\n").length + 2, textChars / 4);
  const answers = boundedAnswers(candidates, room - around, (text) => text.length);
  const ends = candidates.map((view, index) => resultText(view, now, answers[index] ?? null));
  // Ends come first into the room; the first one has it whole.
  const texts = [...ends, ...waits].map((text) => cutBlock(text, room));
  const count = countFitting(texts, textChars);
  const told = Math.min(count, ends.length);
  const words = new Map([...candidates, ...running].slice(0, count).map(({ task }, at) => [task.id, texts[at] ?? ""]));
  const blocks = views.flatMap(({ task }) => words.get(task.id) ?? []);
  return {
    text: [...blocks, ...restLines(views.length - words.size)].join("\n\n"),
    tasks: data.tasks.slice(0, told),
    told: candidates.slice(0, told).map(({ task }) => task.id),
  };
}
