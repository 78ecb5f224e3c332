import type { HttpSettings } from "../config.ts";
import type { EndpointToken } from "../storage/endpoint_files.ts";

/** What others may know of a token. */
export function endpointToken(source: HttpSettings["token"]): EndpointToken {
  switch (source.kind) {
    case "given":
      return { kind: "given" };
    case "none":
      return source;
    case "file":
      return { kind: "file", path: source.path };
  }
}
