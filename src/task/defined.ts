/** A type whose properties that may be undefined are optional instead. */
export type Defined<T> =
  & { [K in keyof T as undefined extends T[K] ? never : K]: T[K] }
  & {
    [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
  };

/** Leaves out what is undefined: an absent property and an undefined one are not the same to a type. */
export function defined<T extends Record<string, unknown>>(values: T): Defined<T>;
export function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
