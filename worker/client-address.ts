// Who is calling, for limits and the audit log: Cloudflare's own header, which a caller cannot forge at the edge.

/** The client's address as it stands in the audit log; null where there is none (local tests). */
export function clientAddress(request: Request): string | null {
  return request.headers.get('cf-connecting-ip');
}

/** What a limit counts by: an IPv4 address, or the /64 that one household or server owns of IPv6. */
export function clientKey(request: Request): string {
  const address = clientAddress(request);
  if (address === null) return 'unknown';
  if (!address.includes(':')) return address;
  // An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2) is one client, not one of a /64.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === '' ? [] : tail.split(':');
  const groups = [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
