import type { TaskView } from "../supervisor/supervisor.ts";
import { isFinished } from "../task/task.ts";
import { cutMiddle, shareBudget } from "./bounded_text.ts";

/** The answers of several tasks, cut so that together they measure about `total`. */
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
    return cutMiddle(answer, maxLength, isFinished(view.task) ? view.directory.answerFile : view.directory.eventsFile);
  });
}
