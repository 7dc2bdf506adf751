// What makes a token smaller than all that its organisation may do: access, paths, networks, websites and an end. Pure.
import { cut } from '../cut.ts';
import { formatNetwork, parseNetwork } from './network.ts';
import type { Network } from './network.ts';

export const ACCESS = ['read', 'full'] as const;
/** `read`: GET, HEAD, and what READ_REQUESTS names. */
export type Access = (typeof ACCESS)[number];

/** What a call must keep to. An empty list restrains nothing. */
export type Limits = {
  access: Access;
  /** Prefixes below /v1, such as /v1/events. */
  paths: readonly string[];
  networks: readonly Network[];
  /** Origins as a browser writes them, such as https://shop.example. */
  origins: readonly string[];
};

/** Whether the limits restrain nothing. */
export function isFree({ access, paths, networks, origins }: Limits): boolean {
  return access === 'full' && paths.length === 0 && networks.length === 0 && origins.length === 0;
}

/** As they are written in a record. */
export type WrittenLimits = [access: Access, paths: string[], networks: string[], origins: string[]];

export function writeLimits({ access, paths, networks, origins }: Limits): WrittenLimits {
  return [access, [...paths], networks.map(formatNetwork), [...origins]];
}

/** The limits that were written, or null for anything else: limits that cannot be read are never none. */
export function readLimits(written: unknown): Limits | null {
  if (!Array.isArray(written) || written.length !== 4) return null;
  const [access, paths, networks, origins] = written as unknown[];
  const isLimits =
    ACCESS.some((known) => known === access) && isList(paths) && isList(networks) && isList(origins);
  if (!isLimits) return null;
  const parsed = networks.map(parseNetwork).filter((network) => network !== null);
  return parsed.length === networks.length
    ? { access: access as Access, paths, networks: parsed, origins }
    : null;
}

function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

/** How many entries a list has at most. */
export const MOST = { paths: 5, networks: 10, origins: 5 } as const;

/** Whether `path` is one of the paths below the prefix, or the prefix itself. */
export function isBelow(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

/** Whether a token with `paths` may do nothing more than one with `before`. */
export function isNarrower(paths: readonly string[], before: readonly string[]): boolean {
  if (before.length === 0) return true;
  return paths.length > 0 && paths.every((path) => before.some((prefix) => isBelow(prefix, path)));
}

/** An entry of a list as it is kept, or what is wrong with it. */
export type Entry = { ok: true; value: string } | { ok: false; wrong: string };

/** Of a path or an origin, in characters. */
const LONGEST = 200;
const PATH = /^\/v1\/[\w.~!$&'()*+,=:@/-]+$/;

/** A prefix of paths. Nothing in it is encoded, and no server reads it as another path. */
export function readPath(text: string): Entry {
  if (text.length > LONGEST) return wrong('a path is longer than 200 characters');
  if (!text.startsWith('/v1/') || text === '/v1/')
    return wrong(`${quoted(text)} is not below /v1, such as /v1/events`);
  const isPlain = PATH.test(text) && !/\/\.|\/\/|\*/.test(text);
  if (!isPlain)
    return wrong(
      `${quoted(text)} is not a plain path: no query, no *, no empty or dot segment, nothing that is encoded`,
    );
  return text.endsWith('/')
    ? wrong(`${quoted(text)} ends with a slash: write ${text.slice(0, -1)}`)
    : { ok: true, value: text };
}

/** A network in its one spelling. One whose address has bits beyond its length is refused: it may be a mistake. */
export function readNetwork(text: string): Entry {
  const network = parseNetwork(text);
  if (network === null) return wrong(`${quoted(text)} is not an address or a network such as 203.0.113.0/24`);
  const value = formatNetwork(network);
  if (network.version === 4 && text.includes(':'))
    return wrong(`${text} is IPv4 written as IPv6: write ${value}`);
  const alone = parseNetwork(text.split('/')[0] ?? '');
  const isExact = alone !== null && alone.words.every((word, index) => word === network.words[index]);
  return isExact ? { ok: true, value } : wrong(`${text} has bits beyond its length: write ${value}`);
}

/** The origin of a website, as a browser sends it. */
export function readOrigin(text: string): Entry {
  const url = URL.parse(text);
  const isWebsite = url !== null && /^https?:$/.test(url.protocol) && !text.includes('*');
  if (!isWebsite)
    return wrong(`${quoted(text)} is not the origin of a website, such as https://shop.example`);
  if (text.length > LONGEST) return wrong('an origin is longer than 200 characters');
  return text === url.origin
    ? { ok: true, value: text }
    : wrong(`${quoted(text)} is not an origin as a browser sends it: write ${url.origin}`);
}

function wrong(text: string): Entry {
  return { ok: false, wrong: text };
}

function quoted(text: string): string {
  return JSON.stringify(cut(text));
}
