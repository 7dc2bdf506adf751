// Who is calling, for limits and the audit log: Cloudflare's own header, which a caller cannot forge at the edge.

/** The client's address as it stands in the audit log; null where there is none (local tests). */
export function clientAddress(request: Request): string | null {
  return request.headers.get('cf-connecting-ip');
}

/** What a limit counts by: an IPv4 address, or the /64 that one household or server owns of IPv6. */
export function clientKey(request: Request): string {
  const address = clientAddress(request);
  if (address === null) return 'unknown';
  const groups = groupsOf(address);
  if (groups !== null) return `${groups.slice(0, 4).join(':')}::/64`;
  return MAPPED.exec(address)?.[1] ?? address;
}

/** The /48 of an IPv6 address, or null: one customer may own its 65,536 networks, each of which is a client to `clientKey`. */
export function networkKey(request: Request): string | null {
  const groups = groupsOf(clientAddress(request) ?? '');
  return groups === null ? null : `${groups.slice(0, 3).join(':')}::/48`;
}

/** An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2) is one client, not one of a /64. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The eight groups of an IPv6 address, or null where it is none. */
function groupsOf(address: string): string[] | null {
  if (!address.includes(':') || MAPPED.test(address)) return null;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const groups = [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return groups.map((group) => group.replace(/^0+(?=.)/, ''));
}
