/** Names of hosts, as settings and the heads of requests hold them. */

/**
 * Gives the name in `HOST` or `HOST:PORT` as it is compared: in lower case and without the port, which says nothing about
 * who asks; an address in its shortest form, one of IPv6 in brackets. `null` where it is not just that.
 */
export function hostName(text: string): string | null {
  // Nothing but a name and a port: a URL would put up with more.
  if (!/^(\[[0-9a-f:.]+\]|[^\s/@?#\\:[\]]+)(:\d{1,5})?$/i.test(text)) return null;
  return URL.canParse(`http://${text}`) ? new URL(`http://${text}`).hostname : null;
}

/** Gives the name, as {@linkcode hostName} does, of a host without brackets or port, such as `::1`. */
export function nameOfHost(host: string): string | null {
  return hostName(host.includes(":") ? `[${host}]` : host);
}

/** Tells whether a name in that form is one by which a machine knows itself: nobody else can be reached under it. */
export function isLoopback(name: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(name);
}
