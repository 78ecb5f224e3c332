import { isObject } from "./json_rpc.ts";

/** A call's `arguments: null` means none: the tool then says which it needs. Gives any other message as it is. */
export function mendMessage(json: unknown): unknown {
  if (!isObject(json) || json["method"] !== "tools/call" || !isObject(json["params"])) return json;
  const { arguments: given, ...params } = json["params"];
  return given === null ? { ...json, params } : json;
}
