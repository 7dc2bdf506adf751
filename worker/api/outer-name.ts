// Callers reach the upstream API by our name. The API gets that name in headers. If its answer has the API's own address, only the
// path of that address is passed on: a caller who followed the address would send the token there.
import type { Call } from '../http/call.ts';

/** The `Via` header of the call and of the answer (RFC 9110 section 7.6.3). An answer without it was made here. */
export const VIA = '1.1 developer-zone';

const ADDRESS = /^[\da-f.:]+$/i;

/** The headers from which the API can make its links: those of RFC 7239, and the older ones that most servers read. */
export function outerNameHeaders({ sentTo, caller }: Call): Record<string, string> {
  const [proto = '', host = ''] = sentTo.split('://');
  // At the edge Cloudflare sets the address. On a developer's machine the caller may have written anything.
  const { address } = caller;
  const client = address !== null && ADDRESS.test(address) ? address : null;
  const node = client === null ? '' : `for="${client.includes(':') ? `[${client}]` : client}";`;
  return {
    forwarded: `${node}host="${host}";proto=${proto}`,
    'x-forwarded-host': host,
    'x-forwarded-proto': proto,
    ...(client === null ? {} : { 'x-forwarded-for': client }),
    via: VIA,
  };
}

/** A host that never exists (RFC 6761 section 6.4). */
const NO_HOST = 'no-host.invalid';
/** A target, the anchor of a link, or other quoted text (RFC 8288 section 3). Any text is read in one pass. */
const LINK_PIECE = /<([^<>]*)>|(\banchor\s*=\s*)?"((?:[^"\\]|\\.)*)("|\\?$)/gis;

/** Removes the API's own address from `Location`, `Content-Location` and `Link`. `called` is the address that was called. */
export function hideInnerName(headers: Headers, called: string): void {
  const inner = new URL(called);
  for (const name of ['location', 'content-location']) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, outerReference(value, inner));
  }
  const link = headers.get('link');
  if (link === null) return;
  let isWhole = true;
  const replaced = link.replaceAll(
    LINK_PIECE,
    (text, target?: string, anchor?: string, quoted = '', end = '') => {
      if (target !== undefined) return `<${outerReference(target, inner)}>`;
      if (end !== '"') isWhole = false;
      return anchor === undefined ? text : `${anchor}"${outerReference(quoted, inner)}"`;
    },
  );
  // If a quoted text does not end, targets and text cannot be told apart.
  if (isWhole) headers.set('link', replaced);
  else headers.delete('link');
}

/** The same reference, or only its path if it names the host that was called. */
function outerReference(reference: string, inner: URL): string {
  // A reference without a host needs no change. The base is short, because it is parsed for every reference.
  const target = URL.parse(reference, `${inner.protocol}//${NO_HOST}/`);
  return target !== null && isHostOf(target, inner) ? pathWithin(target) : reference;
}

/** With the port that was called or without any: an API often writes its name without its port. */
function isHostOf(target: URL, inner: URL): boolean {
  return (
    (target.protocol === 'http:' || target.protocol === 'https:') &&
    target.hostname === inner.hostname &&
    (target.port === inner.port || target.port === '')
  );
}

/** The path, query and fragment. A reference that begins with two slashes would name a host, so it gets `/.` before it. */
function pathWithin({ pathname, search, hash }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}${hash}`;
}
