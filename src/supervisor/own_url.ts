/** Whether an MCP server that is reached by an address is this program. Pure. */

/** Under these, as URLs have them, a machine reaches itself, and a server that listens on all its addresses. */
const OWN_MACHINE = /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:(7f[0-9a-f]{2}:[0-9a-f]+|0:0)\])\.?$/;

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
      const host = OWN_MACHINE.test(url.hostname) ? "localhost" : url.hostname;
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
