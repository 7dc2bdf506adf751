// A look-up that finds nothing in memory and in KV, with ten tokens in D1 and with a million, to show that the time does not
// depend on their number. It measures known and unknown tokens; the two databases take turns.
import type { Client } from './load.ts';
import { request } from './load.ts';
import { openFleet, ours, peer } from './fleet.ts';
import { interval, median, type Interval } from './statistics.ts';
import { addStrangers, addTokens, genuineSecrets, migrate } from './tokens.ts';
import { PATH } from './variants.ts';

export type Cold = {
  tokens: number;
  few: number;
  /** Microseconds over one connection, over all rounds. */
  unknown: { few: number; many: number; ratio: Interval };
  known: { few: number; many: number; ratio: Interval };
};

export type ColdPlan = { tokens: number; rounds: number; calls: number };

const FEW = 10;

/**
 * Each round starts fresh Workers, warms their code with unknown secrets, and then asks for ten known tokens that this
 * isolate has never seen, and for unknown ones.
 */
export async function measureCold(
  parts: { product: string; wrapper: string; bare: string },
  client: Client,
  plan: ColdPlan,
): Promise<Cold> {
  const names = ['few', 'many'] as const;
  const worker = (database: string, round: number) =>
    ours({ name: `${database}-${round}`, code: parts.product, wrapper: parts.wrapper, database });
  const fleet = await openFleet([
    peer('bare', parts.bare),
    ...names.flatMap((database) =>
      Array.from({ length: plan.rounds }, (_, round) => worker(database, round)),
    ),
  ]);
  try {
    const few = await fleet.miniflare.getD1Database('DB', 'few-0');
    const many = await fleet.miniflare.getD1Database('DB', 'many-0');
    await migrate(few);
    await migrate(many);
    const secrets = { few: await addTokens(few, FEW), many: await addTokens(many, FEW) };
    await addStrangers(many, plan.tokens - FEW);
    const unknown: Record<string, number[]> = { few: [], many: [] };
    const known: Record<string, number[]> = { few: [], many: [] };
    for (let round = 0; round < plan.rounds; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const port = await fleet.port(`${name}-${round}`);
        const calls = (list: string[], status: number) =>
          client.run({
            port,
            connections: 1,
            requests: list.map((secret) => request(PATH, secret)),
            from: 0,
            status,
            warmUp: 0,
            duration: 60_000,
            limit: list.length,
            pid: null,
          });
        await calls(genuineSecrets(plan.calls), 401);
        unknown[name]?.push((await calls(genuineSecrets(plan.calls), 401)).p50);
        known[name]?.push((await calls(secrets[name], 200)).p50);
      }
    }
    return { tokens: plan.tokens, few: FEW, unknown: compared(unknown), known: compared(known) };
  } finally {
    await fleet.dispose();
  }
}

function compared(figures: Record<string, number[]>): Cold['known'] {
  const few = figures['few'] ?? [];
  const many = figures['many'] ?? [];
  return {
    few: median(few),
    many: median(many),
    ratio: interval(many.map((value, round) => value / (few[round] ?? Number.NaN))),
  };
}
