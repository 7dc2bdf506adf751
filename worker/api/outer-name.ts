// The name by which callers reach the API behind this one: ours. The API is told of it, and where an answer names the API's
// own address instead, the path alone is left of it: a caller who followed the address would take the token there.
import type { Call } from '../http/call.ts';

/** Of both messages (RFC 9110 section 7.6.3). An answer without it is this product's own. */
export const VIA = '1.1 developer-zone';

const ADDRESS = /^[\da-f.:]+$/i;

/** How the call came in, for the API to write its links by: RFC 7239, and the older names that most servers read. */
export function outerNameHeaders({ sentTo, caller }: Call): Record<string, string> {
  const [proto = '', host = ''] = sentTo.split('://');
  // Cloudflare's own at the edge; on a developer's machine it is whatever the caller wrote.
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
/** A target, the anchor of a link, or other quoted text (RFC 8288 section 3). The text is read once, whatever the API sends. */
const LINK_PIECE = /<([^<>]*)>|(\banchor\s*=\s*)?"((?:[^"\\]|\\.)*)("|\\?$)/gis;

/** Takes the API's own address out of `Location`, `Content-Location` and `Link`. `called` is the address that was asked. */
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
  // Where a quoted text does not end, targets and text cannot be told apart.
  if (isWhole) headers.set('link', replaced);
  else headers.delete('link');
}

/** The same reference, or the path alone where it names the host that was called. */
function outerReference(reference: string, inner: URL): string {
  // A reference without a host means the same at the outer name. The base is short, because it is read for every reference.
  const target = URL.parse(reference, `${inner.protocol}//${NO_HOST}/`);
  return target !== null && isHostOf(target, inner) ? pathWithin(target) : reference;
}

/** http or https, with the port that was called or none: an API often writes its name without its port. */
function isHostOf(target: URL, inner: URL): boolean {
  return (
    (target.protocol === 'http:' || target.protocol === 'https:') &&
    target.hostname === inner.hostname &&
    (target.port === inner.port || target.port === '')
  );
}

/** A path that leads nowhere else: read as it stands, one that begins with two slashes would name a host. */
function pathWithin({ pathname, search, hash }: URL): string {
  return `${pathname.startsWith('//') ? '/.' : ''}${pathname}${search}${hash}`;
}
