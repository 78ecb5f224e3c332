/** Whether an MCP server that is reached by an address is this program. Pure. */
import { isLoopback } from "../task/host_name.ts";

/** Addresses under which a machine reaches itself too: that which stands for all, and IPv4's in the form of IPv6. */
const OWN_ADDRESS = /^(0\.0\.0\.0|\[::\]|\[::ffff:(7f[0-9a-f]{2}:[0-9a-f]+|0:0)\])$/;

/** Tells whether `url` leads to one of the `endpoints`: the same port of this machine by whatever name, or the same socket. */
export function isEndpoint(url: string, endpoints: readonly string[]): boolean {
  const place = placeOf(url);
  return place !== null && endpoints.some((endpoint) => placeOf(endpoint) === place);
}

/** What all spellings of an address have in common; `null` for what is none. */
function placeOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  switch (url.protocol) {
    case "http:":
    case "https:": {
      const name = url.hostname;
      const host = isLoopback(name) || OWN_ADDRESS.test(name) ? "localhost" : name;
      // A proxy may serve under TLS what listens without.
      return `${host}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
    }
    case "unix:":
    case "http+unix:":
      // `unix:///PATH`, or with the path for a host, as `http+unix://%2FPATH/mcp`.
      return `unix:${decoded(url.host || url.pathname)}`;
    default:
      return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
