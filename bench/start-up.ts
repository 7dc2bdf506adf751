// How long a fresh isolate takes to its first answer: the product's bundle against an empty Hono Worker's, one new
// isolate per call, in turns.
import { bundle } from './bundle.ts';
import { deployed, openFleet, peer, SETTINGS } from './fleet.ts';
import { cpuNanoseconds } from './process.ts';
import { spread, type Spread } from './statistics.ts';

/** Milliseconds; `over` an empty Hono Worker per pair of starts, and `cpu` the same of workerd's CPU (null without /proc). */
export type StartUp = { empty: Spread; ours: Spread; over: Spread; cpu: Spread | null; starts: number };

type Start = { took: number; cpu: number };
const NONE: Start = { took: Number.NaN, cpu: Number.NaN };

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
      const cpu = cpuNanoseconds(fleet.pid) ?? Number.NaN;
      const begun = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}/?bundle=${name}`);
      const took = performance.now() - begun;
      if (answer.status !== 200) throw new Error(`a fresh isolate of ${name} answers ${answer.status}`);
      await answer.text();
      return { took, cpu: ((cpuNanoseconds(fleet.pid) ?? Number.NaN) - cpu) / 1e6 };
    };
    await start('empty');
    await start('ours');
    const empty: Start[] = [];
    const ours: Start[] = [];
    for (let round = 0; round < starts; round++) {
      if (round % 2 === 0) empty.push(await start('empty'));
      ours.push(await start('ours'));
      if (round % 2 === 1) empty.push(await start('empty'));
    }
    const over = (figure: (one: Start) => number) =>
      spread(ours.map((one, round) => figure(one) - figure(empty[round] ?? NONE)));
    const took = (one: Start) => one.took;
    return {
      empty: spread(empty.map(took)),
      ours: spread(ours.map(took)),
      over: over(took),
      cpu: fleet.pid === null ? null : over(({ cpu }) => cpu),
      starts,
    };
  } finally {
    await fleet.dispose();
  }
}
