/** How long the head of an answer is held back to see whether it is an error that has a status of its own. */
const HELD_BACK_MS = 20;
/** A request needs what its client has not declared: the protocol asks for 400, whoever finds it out. */
const MISSING_CAPABILITY =
  /^event: message\ndata: (\{"jsonrpc":"2\.0","id":[^\n]*"error":\{"code":-32021,[^\n]*\})\n\n/;

/** Gives a stream that begins with such an error the status that the protocol has for it; the SDK has sent 200 by then. */
export async function withErrorStatus(response: Response): Promise<Response> {
  if (response.body === null || response.headers.get("content-type") !== "text/event-stream") return response;
  const reader = response.body.getReader();
  const first = reader.read();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(resolve, HELD_BACK_MS, null));
  const read = await Promise.race([first, late]);
  clearTimeout(timer);
  const [, error] = MISSING_CAPABILITY.exec(read?.value === undefined ? "" : new TextDecoder().decode(read.value)) ??
    [];
  if (error !== undefined) {
    await reader.cancel();
    return new Response(error, { status: 400, headers: { "content-type": "application/json" } });
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { done, value } = await (pending ?? reader.read());
      pending = null;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  let pending: typeof first | null = first;
  return new Response(body, { status: response.status, headers: response.headers });
}
