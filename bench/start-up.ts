// How long a fresh isolate takes to its first answer: the product's bundle against an empty Hono Worker's, one new
// isolate per call, in turns.
import { bundle } from './bundle.ts';
import { deployed, openFleet, peer, SETTINGS } from './fleet.ts';
import { spread, type Spread } from './statistics.ts';

/** Milliseconds over an empty Hono Worker, per pair of starts. */
export type StartUp = { empty: Spread; ours: Spread; over: Spread; starts: number };

export async function measureStartUp(product: string, starts: number): Promise<StartUp> {
  const common = { flags: deployed.compatibility_flags, date: deployed.compatibility_date };
  const settings = Object.fromEntries(
    Object.entries(deployed.vars).map(([key, value]) => [key, String(value)]),
  );
  const bundles = {
    empty: { ...common, code: await bundle('bench/peers/hono-empty.ts'), env: {} },
    ours: { ...common, code: product, env: { ...settings, ...SETTINGS } },
  };
  const fleet = await openFleet([
    peer('loader', await bundle('bench/peers/loader.ts'), {
      LOADER: { type: 'worker-loader' },
      BUNDLES: { type: 'json', value: JSON.parse(JSON.stringify(bundles)) },
    }),
  ]);
  try {
    const port = await fleet.port('loader');
    const start = async (name: string) => {
      const begun = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}/?bundle=${name}`);
      const took = performance.now() - begun;
      if (answer.status !== 200) throw new Error(`a fresh isolate of ${name} answers ${answer.status}`);
      await answer.text();
      return took;
    };
    await start('empty');
    await start('ours');
    const empty: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < starts; round++) {
      if (round % 2 === 0) empty.push(await start('empty'));
      ours.push(await start('ours'));
      if (round % 2 === 1) empty.push(await start('empty'));
    }
    const over = ours.map((value, round) => value - (empty[round] ?? Number.NaN));
    return { empty: spread(empty), ours: spread(ours), over: spread(over), starts };
  } finally {
    await fleet.dispose();
  }
}
