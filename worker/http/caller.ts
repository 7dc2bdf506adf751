// Who is calling, for limits, the audit log, and tokens that are limited. The address is Cloudflare's own header, which a caller cannot forge at the edge.
import type { Traits } from '../token/callers.ts';
import { formatNetwork, networkOfAddress, parseNetwork } from '../token/network.ts';
import { NO_ORIGIN } from '../verification/caller.ts';

export class HttpCaller {
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

  /** What is counted of the caller. A browser says in every request how its page asked. */
  get traits(): Traits {
    const agent = this.#headers.has('sec-fetch-mode')
      ? 'browser'
      : programIn(this.#headers.get('user-agent') ?? '');
    return traitsOf(this.#request.cf, agent);
  }

  /** A limit counts by it: an IPv4 address, or the /64 that one household or server owns of IPv6. */
  get key(): string {
    const { address } = this;
    if (address === null) return 'unknown';
    return networkOf(address, 64) ?? networkOfAddress(address)?.replace('/32', '') ?? address;
  }

  /** The /48 of an IPv6 address, or null: one customer may own its 65,536 networks, each of which has a `key` of its own. */
  get network(): string | null {
    return networkOf(this.address ?? '', 48);
  }

  /**
   * The user agent of the client, in at most 256 characters. Without control characters and invisible ones: they could control a
   * terminal, or reverse the order of other text.
   */
  get agent(): string | null {
    const text = this.#headers.get('user-agent');
    return text === null ? null : shown(text, 256) || null;
  }
}

/** At most `most` characters of a text, without control characters and invisible ones. */
export function shown(text: string, most: number): string {
  return text
    .slice(0, most)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim();
}

/** RFC 6793. */
const LARGEST_ASN = 0xff_ff_ff_ff;

/** What is counted of a caller, from what Cloudflare says of the place that the call came from. `agent`: as it is shown. */
export function traitsOf(cf: unknown, agent: string): Traits {
  // Whatever it is, nothing is read but these fields.
  const { asn, asOrganization: name, country } = (cf ?? {}) as Record<string, unknown>;
  // A number that the column does not take would fail the counts of all tokens that are written with it.
  const network = typeof asn === 'number' && Number.isInteger(asn) && asn > 0 && asn <= LARGEST_ASN ? asn : 0;
  return {
    network,
    networkName: network > 0 && typeof name === 'string' ? shown(name, 64) : '',
    country: typeof country === 'string' && /^[A-Z][A-Z0-9]$/.test(country) ? country : '',
    agent,
  };
}

/** A product in a user agent (RFC 9110 section 10.1.5), without its version. */
const PRODUCT = /^([A-Za-z][\w!#$%&'*+.^`|~-]*)(?:[/\s]|$)/;
/** No network address (IPv6 and hardware addresses with other separators than colons too), and no secret of ours, may be kept. */
const KEPT_NOWHERE = /\d+(?:[._-]\d+){3}|[\da-f]{1,4}(?:[._-]+[\da-f]{1,4}){4}|_dz/i;
const LONGEST_PROGRAM = 40;
/** So much is looked at. The time of KEPT_NOWHERE grows with the square of it, and a caller may send thousands of digits. */
const LOOKED_AT = 128;

/** The name of a caller's program, or `unknown`. */
function programIn(agent: string): string {
  const name = PRODUCT.exec(agent.slice(0, LOOKED_AT))?.[1];
  return name === undefined || KEPT_NOWHERE.test(name) ? 'unknown' : name.slice(0, LONGEST_PROGRAM);
}

/** The network of this length that an IPv6 address belongs to, or null where it is none. */
function networkOf(address: string, length: 48 | 64): string | null {
  // Neither length is one of IPv4, nor of an IPv4 address that is written as one of IPv6 (RFC 4291 section 2.5.5.2).
  const network = parseNetwork(`${address}/${length}`);
  return network === null ? null : formatNetwork(network);
}
