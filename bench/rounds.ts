// The measurement itself: every variant in every round, in a new order each time, at one and at 32 connections.
import type { Measured } from './client.ts';
import type { Client } from './load.ts';
import type { Bench, Variant } from './variants.ts';

export type Plan = { rounds: number; warmUp: number; duration: number; connections: number[] };

/** Per variant and number of connections, one measurement a round. */
export type Rounds = Map<string, Measured[]>;

export const cell = (variant: string, connections: number) => `${variant} ${connections}`;

/** Throws unless each variant gives its status to the good token and 401 to the bad one. */
export async function checkAnswers(variants: Variant[]): Promise<void> {
  for (const { key, port, requests, bad, status } of variants) {
    const good = requests[0];
    if (good === undefined) throw new Error(`${key}: no requests`);
    await answers(key, port, good, status);
    if (bad !== null) await answers(key, port, bad, 401);
  }
}

async function answers(key: string, port: number, raw: Uint8Array, expected: number): Promise<void> {
  const [, path = '', secret = ''] =
    /^GET (\S+)[^]*Bearer (\S+)/.exec(Buffer.from(raw).toString('latin1')) ?? [];
  const headers = { authorization: `Bearer ${secret}` };
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  if (status !== expected) throw new Error(`${key} answers ${status} where ${expected} is right`);
}

export async function measure(
  bench: Bench,
  client: Client,
  plan: Plan,
  say: (line: string) => void,
): Promise<Rounds> {
  const { variants, fleet } = bench;
  const load = { pid: fleet.pid, from: 0, limit: Number.POSITIVE_INFINITY };
  for (const { key, port, requests, status, mayFail, fill } of variants) {
    say(`filling ${key}`);
    const rest = { ...load, port, requests, status, mayFail, warmUp: 0, duration: 60_000 };
    await client.run({ ...rest, connections: 16, limit: fill });
  }
  const rounds: Rounds = new Map();
  for (let round = 0; round < plan.rounds; round++) {
    for (const connections of plan.connections) {
      for (const variant of rotated(variants, round)) {
        const { key, port, requests, status, mayFail, next: from } = variant;
        const { warmUp, duration } = plan;
        const measured = await client.run({
          ...load,
          port,
          requests,
          status,
          mayFail,
          from,
          connections,
          warmUp,
          duration,
        });
        variant.next = measured.next;
        const name = cell(key, connections);
        rounds.set(name, [...(rounds.get(name) ?? []), measured]);
        say(
          `round ${round + 1} ${name}: ${Math.round(measured.requests / measured.seconds)}/s p50 ${measured.p50.toFixed(0)} p99 ${measured.p99.toFixed(0)} cpu ${measured.cpu?.toFixed(0)}`,
        );
      }
    }
  }
  return rounds;
}

/** Each round begins with another variant, and every other one runs backwards, so that no variant always follows the same one. */
function rotated<T>(list: T[], round: number): T[] {
  const shift = (round * 3) % list.length;
  const turned = [...list.slice(shift), ...list.slice(0, shift)];
  return round % 2 === 0 ? turned : turned.toReversed();
}
