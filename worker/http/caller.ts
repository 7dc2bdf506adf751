// Who is calling, for limits, the audit log, and tokens that are limited. The address is Cloudflare's own header, which a caller cannot forge at the edge.
import { NO_ORIGIN } from '../verification/caller.ts';

export class Caller {
  /** Of the call, without a query; nothing in it is decoded. */
  readonly path: string;
  readonly #request: Request;
  readonly #headers: Headers;

  constructor(request: Request, path: string) {
    this.path = path;
    this.#request = request;
    this.#headers = request.headers;
  }

  get method(): string {
    return this.#request.method;
  }

  /** What a browser says of the website that calls. */
  get origin(): string | typeof NO_ORIGIN {
    return this.#headers.get('origin') ?? NO_ORIGIN;
  }

  /** The client's address as it stands in the audit log; null where there is none (local tests). */
  get address(): string | null {
    return this.#headers.get('cf-connecting-ip');
  }

  /** A limit counts by it: an IPv4 address, or the /64 that one household or server owns of IPv6. */
  get key(): string {
    const { address } = this;
    if (address === null) return 'unknown';
    const groups = groupsOf(address);
    if (groups !== null) return `${groups.slice(0, 4).join(':')}::/64`;
    return MAPPED.exec(address)?.[1] ?? address;
  }

  /** The /48 of an IPv6 address, or null: one customer may own its 65,536 networks, each of which has a `key` of its own. */
  get network(): string | null {
    const groups = groupsOf(this.address ?? '');
    return groups === null ? null : `${groups.slice(0, 3).join(':')}::/48`;
  }

  /**
   * The user agent of the client, in at most 256 characters. Without control characters and invisible ones: they could control a
   * terminal, or reverse the order of other text.
   */
  get agent(): string | null {
    const text = this.#headers
      .get('user-agent')
      ?.slice(0, 256)
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
      .trim();
    return text === undefined || text === '' ? null : text;
  }
}

/** An IPv4 address that is written as one of IPv6 (RFC 4291 section 2.5.5.2) is one client, not one of a /64. */
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
