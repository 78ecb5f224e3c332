/** Reads what may be a JSON-RPC message: what has another shape counts as absent. */

/** Tells whether a value is an object with named fields. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gives the id of a message, be it a request or an answer. */
export function idOf(json: unknown): string | number | null {
  return isObject(json) ? idOrNull(json["id"]) : null;
}

/** Gives the id of a request. */
export function requestIdOf(json: unknown): string | number | null {
  return isObject(json) && typeof json["method"] === "string" ? idOf(json) : null;
}

/** Gives the id of the request that a `notifications/cancelled` is about. */
export function cancelledIdOf(json: unknown): string | number | null {
  if (!isObject(json) || json["method"] !== "notifications/cancelled" || !isObject(json["params"])) return null;
  return idOrNull(json["params"]["requestId"]);
}

function idOrNull(id: unknown): string | number | null {
  return typeof id === "string" || typeof id === "number" ? id : null;
}
