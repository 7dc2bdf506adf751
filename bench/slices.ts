// The measurement. A slice is a fraction of a second in which every variant is measured once, in a new order. Other work of the
// machine slows down all variants of a slice alike, so figures are compared within a slice and never between slices.
import type { Load, Measured } from './client.ts';
import type { Client } from './load.ts';
import { interval, type Interval } from './statistics.ts';
import type { Variant } from './variants.ts';

/** `warmUp` and `duration` in milliseconds, for each variant in each slice. */
export type Plan = { slices: number; warmUp: number; duration: number; connections: number[] };

/** The figures of each variant, by its key. A peer that may fail can be missing. */
export type Slice = { connections: number; measured: Map<string, Measured> };

export type Figure = (measured: Measured) => number | null;
export const p50: Figure = (measured) => measured.p50;
export const cpu: Figure = (measured) => measured.cpu;
export const rate: Figure = (measured) => measured.requests / measured.seconds;

/**
 * Throws unless each variant answers the good token with its status and the bad one with 401. Also throws unless the peer that
 * imitates our answer has the same headers.
 */
export async function checkAnswers(variants: Variant[]): Promise<void> {
  const headers = new Map<string, string>();
  for (const { key, port, requests, bad, status } of variants) {
    const good = requests[0];
    if (good === undefined) throw new Error(`${key}: no requests`);
    headers.set(key, await answers(key, port, good, status));
    if (bad !== null) await answers(key, port, bad, 401);
  }
  const [own, peer] = [headers.get('ours'), headers.get('hono-same-answer')];
  if (own !== peer) throw new Error(`the peer with our headers answers\n${peer}\nwhere ours answers\n${own}`);
}

/** The headers of the answer, without what differs with the request and the body. */
async function answers(key: string, port: number, raw: Uint8Array, expected: number): Promise<string> {
  const text = Buffer.from(raw).toString('latin1');
  const [, path = '', secret = ''] = /^GET (\S+)[^]*Bearer (\S+)/.exec(text) ?? [];
  const [, address] = /^CF-Connecting-IP: (\S+)/m.exec(text) ?? [];
  const headers = {
    authorization: `Bearer ${secret}`,
    ...(address === undefined ? {} : { 'cf-connecting-ip': address }),
  };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  if (answer.status !== expected)
    throw new Error(`${key} answers ${answer.status} where ${expected} is right`);
  return [...answer.headers]
    .filter(([name]) => !/^(?:x-request-id|content-length|date)$/.test(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** Rejects if a variant gives a wrong answer. A peer that may fail is left out after its failure. */
export async function measure(
  variants: Variant[],
  client: Client,
  plan: Plan,
  say: (line: string) => void,
): Promise<Slice[]> {
  let present = variants;
  async function load(variant: Variant, rest: Partial<Load>): Promise<Measured | null> {
    const { port, requests, status, mayFail, pid, next: from } = variant;
    const own = { port, requests, status, mayFail, pid, from, connections: 16, warmUp: 0, duration: 60_000 };
    try {
      const measured = await client.run({ ...own, limit: Number.POSITIVE_INFINITY, ...rest });
      variant.next = measured.next;
      return measured;
    } catch (error) {
      if (!mayFail) throw error;
      say(`${variant.key} is left out from here on: ${String(error)}`);
      present = present.filter((each) => each !== variant);
      return null;
    }
  }

  for (const variant of variants) await load(variant, { limit: variant.fill });
  const slices: Slice[] = [];
  for (let number = 1; number <= plan.slices; number++) {
    for (const connections of plan.connections) {
      const measured = new Map<string, Measured>();
      for (const variant of shuffled(present)) {
        const one = await load(variant, { connections, warmUp: plan.warmUp, duration: plan.duration });
        if (one !== null) measured.set(variant.key, one);
      }
      slices.push({ connections, measured });
    }
    if (number % 10 === 0) say(`${number} of ${plan.slices} slices`);
  }
  return slices;
}

export function shuffled<T>(list: T[]): T[] {
  return list
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** The figures of one variant in all slices that have it. */
export function figuresOf(slices: Slice[], key: string, connections: number, figure: Figure): number[] {
  return slices
    .filter((slice) => slice.connections === connections)
    .flatMap(({ measured }) => {
      const one = measured.get(key);
      const value = one === undefined ? null : figure(one);
      return value === null ? [] : [value];
    });
}

/** The ratio of two variants, one value for each slice that has both. Null if no slice has both (no /proc). */
export function ratio(
  slices: Slice[],
  of: string,
  to: string,
  connections: number,
  figure: Figure,
): Interval | null {
  const values = slices
    .filter((slice) => slice.connections === connections)
    .flatMap(({ measured }) => {
      const [above, below] = [measured.get(of), measured.get(to)];
      if (above === undefined || below === undefined) return [];
      const [a, b] = [figure(above), figure(below)];
      return a === null || b === null ? [] : [a / b];
    });
  return values.length === 0 ? null : interval(values);
}
