/** Computes a value when it is first needed; a failure is tried again, since Codex may be installed meanwhile. */
export function remember<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return async () => {
    try {
      return await (value ??= compute());
    } catch (error) {
      value = undefined;
      throw error;
    }
  };
}

/** Computes a value at most so often. */
export function rememberFor<T>(ms: number, compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (value === undefined || performance.now() >= until) {
      value = compute();
      until = performance.now() + ms;
    }
    return value;
  };
}
