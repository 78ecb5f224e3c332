/** What a server that lives throughout a soak must keep to. Pure. */

/** The server at one moment. */
export interface SoakSample {
  readonly atMs: number;
  /** No agent runs and no call waits. */
  readonly isIdle: boolean;
  readonly rssKib: number;
  readonly files: number;
}

export interface SoakVerdict {
  readonly words: string;
  readonly isKept: boolean;
}

/** Part of the time in which caches and compiled code grow to what they are. */
const WARM_UP = 1 / 5;
const MOST_GROWTH = 1.1;
const MOST_FILES_APART = 2;
/** In a shorter soak the memory of a server that has just started says nothing. */
const LEAST_MINUTES = 2;

export function judgeSoak(
  samples: readonly SoakSample[],
  { minutes }: { readonly minutes: number },
): readonly SoakVerdict[] {
  const end = samples.at(-1)?.atMs ?? 0;
  const warm = samples.filter(({ atMs }) => atMs >= WARM_UP * end);
  const thirdMs = (1 - WARM_UP) * end / 3;
  const [first, last] = [
    warm.filter(({ atMs }) => atMs < WARM_UP * end + thirdMs),
    warm.filter(({ atMs }) => atMs >= end - thirdMs),
  ].map((third) => mean(third.map(({ rssKib }) => rssKib)) / 1024);
  const growth = (last ?? NaN) / (first ?? NaN);
  const isJudged = minutes >= LEAST_MINUTES;
  const files = warm.filter(({ isIdle }) => isIdle).map((sample) => sample.files);
  const apart = Math.max(...files) - Math.min(...files);
  return [
    {
      words: `memory: ${first?.toFixed(1)} MiB in the first third, ${last?.toFixed(1)} MiB in the last, ` +
        `${growth.toFixed(3)} times as much; at most ${MOST_GROWTH}${
          isJudged ? "" : ", not judged in so short a time"
        }`,
      isKept: !isJudged || growth <= MOST_GROWTH,
    },
    {
      words: `open files in ${files.length} idle moments: ${files.join(", ")}; at most ${MOST_FILES_APART} apart`,
      isKept: files.length > 0 && apart <= MOST_FILES_APART,
    },
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
