import type { TaskView } from "../supervisor/task_view.ts";
import { isFinished } from "../task/task.ts";
import { cutMiddle, shareBudget } from "./bounded_text.ts";

/** The answers of several tasks, cut so that together they measure at most `total`, the words about the cuts aside when there is no room even for these. */
export function boundedAnswers(
  views: readonly TaskView[],
  total: number,
  measure: (text: string) => number,
): (string | null)[] {
  const lengths = views.map(({ answer }) => answer === null ? 0 : measure(answer));
  const shares = shareBudget(lengths, total);
  return views.map((view, index) => {
    const { answer } = view;
    const length = lengths[index] ?? 0;
    const share = shares[index] ?? 0;
    if (answer === null || length <= share) return answer;
    const maxLength = Math.floor(answer.length * share / length);
    const wholeIn = isFinished(view.task) ? view.directory.answerFile : view.directory.eventsFile;
    const cut = cutMiddle(answer, maxLength, wholeIn);
    // What has to be escaped is not spread evenly.
    const excess = measure(cut) - share;
    return excess <= 0 ? cut : cutMiddle(answer, maxLength - excess, wholeIn);
  });
}
