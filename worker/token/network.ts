// IP addresses and networks (CIDR, RFC 4632 and RFC 4291). An IPv4-mapped IPv6 address is the IPv4 address. Pure.

/** Four words of 32 bits; an IPv4 address is the last of them. */
export type Address = { version: 4 | 6; words: readonly number[] };
/** The addresses whose first `length` bits are those of `words`, counted from the first word that the version uses. */
export type Network = Address & { length: number };

const WORDS = { 4: 1, 6: 4 } as const;
const BITS = { 4: 32, 6: 128 } as const;
const MAPPED_BITS = 96;
/** Of IPv4-mapped addresses, ::ffff:0:0/96 (RFC 4291 section 2.5.5.2). */
const MAPPED = [0, 0, 0xffff];
const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[\da-f]{1,4}$/i;
const LENGTH = /^(?:0|[1-9]\d{0,2})$/;

/** The address that a text names, or null. Octets with a leading zero are refused: some programs read them as octal. */
export function parseAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const word = parseIpv4(text);
    return word === null ? null : { version: 4, words: [word] };
  }
  const words = parseIpv6(text);
  if (words === null) return null;
  const [last = 0] = words.slice(3);
  return MAPPED.every((word, index) => words[index] === word)
    ? { version: 4, words: [last] }
    : { version: 6, words };
}

function parseIpv4(text: string): number | null {
  const octets = text.split('.');
  if (octets.length !== 4) return null;
  let word = 0;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > 255) return null;
    word = word * 256 + Number(octet);
  }
  return word;
}

function parseIpv6(text: string): number[] | null {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return null;
  const first = groupsOf(head, tail === undefined);
  const last = groupsOf(tail ?? '', true);
  if (first === null || last === null) return null;
  const missing = 8 - first.length - last.length;
  // `::` stands for one group at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...first, ...Array<number>(missing).fill(0), ...last];
  return [0, 2, 4, 6].map((index) => (groups[index] ?? 0) * 0x1_0000 + (groups[index + 1] ?? 0));
}

/** `isEnd`: the groups end the address, and the last two of them may be written as an IPv4 address. */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const word = isEnd && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : null;
    if (word !== null) groups.push(Math.floor(word / 0x1_0000), word % 0x1_0000);
    else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups.length > 8 ? null : groups;
}

/** The network that a text names, or null; an address alone is a network of one. Bits beyond the length are cut off. */
export function parseNetwork(text: string): Network | null {
  const [before = '', after, ...more] = text.split('/');
  const address = parseAddress(before);
  if (address === null || more.length > 0) return null;
  const { version, words } = address;
  if (after === undefined) return { version, words, length: BITS[version] };
  if (!LENGTH.test(after)) return null;
  // What is written as IPv6 counts its bits so.
  const length = Number(after) - (version === 4 && before.includes(':') ? MAPPED_BITS : 0);
  if (length < 0 || length > BITS[version]) return null;
  return { version, words: words.map((word, index) => (word & maskOf(length, index)) >>> 0), length };
}

/** The address alone, as it is written in a list of networks, or null where the text is no address. */
export function networkOfAddress(text: string): string | null {
  const network = text.includes('/') ? null : parseNetwork(text);
  return network === null ? null : formatNetwork(network);
}

/** The bits of the word at `index` that a network of this length looks at. */
function maskOf(length: number, index: number): number {
  const bits = Math.min(32, Math.max(0, length - 32 * index));
  return bits === 0 ? 0 : -1 << (32 - bits);
}

/** Whether the address is one of the network's. */
export function isWithin({ version, words, length }: Network, address: Address): boolean {
  if (version !== address.version) return false;
  for (let index = 0; index < WORDS[version]; index++) {
    const differing = (words[index] ?? 0) ^ (address.words[index] ?? 0);
    if ((differing & maskOf(length, index)) !== 0) return false;
  }
  return true;
}

/** As RFC 5952 writes it, with its length. */
export function formatNetwork({ version, words, length }: Network): string {
  return `${version === 4 ? formatIpv4(words[0] ?? 0) : formatIpv6(words)}/${length}`;
}

function formatIpv4(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
}

function formatIpv6(words: readonly number[]): string {
  const text = words
    .flatMap((word) => [word >>> 16, word & 0xffff].map((group) => group.toString(16)))
    .join(':');
  // The first of the longest runs of two zeros or more.
  const [longest] = [...text.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)].toSorted(
    ([one], [other]) => other.length - one.length,
  );
  if (longest === undefined) return text;
  const end = longest.index + longest[0].length;
  return `${text.slice(0, longest.index).replace(/:$/, '')}::${text.slice(end).replace(/^:/, '')}`;
}
