/** Passes a response on and tells once when it is over: whole, or because nobody took it any more. */
export function trackedResponse(response: Response, over: (isWhole: boolean) => void): Response {
  if (response.body === null) {
    over(true);
    return response;
  }
  const reader = response.body.getReader();
  let isOver = false;
  const end = (isWhole: boolean): void => {
    if (!isOver) over(isWhole);
    isOver = true;
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end(true);
        controller.close();
      } catch (error) {
        end(false);
        controller.error(error);
      }
    },
    async cancel(reason): Promise<void> {
      // First: what is cancelled has an end for those who read it.
      end(false);
      await reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
