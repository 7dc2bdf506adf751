// How long a new isolate takes to its first answer: with the product's bundle, with the release before, and with an empty Hono
// Worker. Every round starts one new isolate of each, in a new order.
import { bundle } from './bundle.ts';
import type { Before } from './before.ts';
import { deployed, openFleet, peer, SETTINGS } from './fleet.ts';
import { cpuNanoseconds } from './process.ts';
import { shuffled } from './slices.ts';
import { interval, type Interval } from './statistics.ts';

/** Milliseconds to the first answer, and workerd's CPU in them (null without /proc). */
type Cost = { took: Interval; cpu: Interval | null };
export type StartUp = {
  rounds: number;
  empty: Cost;
  /** The additional cost of each, compared with the empty Hono Worker of the same round. */
  ours: Cost;
  before: Cost;
  /** The additional CPU of ours, divided by that of the release before, in each round. */
  ratio: Interval | null;
};

type Start = { took: number; cpu: number };
type Round = Record<(typeof KINDS)[number], Start>;
const KINDS = ['empty', 'ours', 'before'] as const;

export async function measureStartUp(product: string, before: Before, rounds: number): Promise<StartUp> {
  const common = { flags: deployed.compatibility_flags, date: deployed.compatibility_date };
  const environment = (vars: Record<string, unknown>) => ({
    ...Object.fromEntries(Object.entries(vars).map(([key, value]) => [key, String(value)])),
    ...SETTINGS,
  });
  const bundles = {
    empty: { ...common, code: await bundle('bench/peers/hono-empty.ts'), env: {} },
    ours: { ...common, code: product, env: environment(deployed.vars) },
    before: { ...common, code: before.code, env: environment(before.vars) },
  };
  const fleet = await openFleet([
    peer('loader', await bundle('bench/peers/loader.ts'), {
      LOADER: { type: 'worker-loader' },
      BUNDLES: { type: 'json', value: JSON.parse(JSON.stringify(bundles)) },
    }),
  ]);
  try {
    const port = await fleet.port('loader');
    const start = async (name: string): Promise<Start> => {
      const cpu = cpuNanoseconds(fleet.pid) ?? Number.NaN;
      const begun = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}/?bundle=${name}`);
      const took = performance.now() - begun;
      if (answer.status !== 200) throw new Error(`a fresh isolate of ${name} answers ${answer.status}`);
      await answer.text();
      return { took, cpu: ((cpuNanoseconds(fleet.pid) ?? Number.NaN) - cpu) / 1e6 };
    };
    const all: Round[] = [];
    // The first round is not counted: workerd itself is cold.
    for (let number = 0; number <= rounds; number++) {
      const round: Partial<Round> = {};
      for (const kind of shuffled([...KINDS])) round[kind] = await start(kind);
      const { empty, ours, before: old } = round;
      if (number > 0 && empty && ours && old) all.push({ empty, ours, before: old });
    }
    const hasCpu = fleet.pid !== null;
    const cost = (figure: (round: Round, of: keyof Start) => number): Cost => ({
      took: interval(all.map((round) => figure(round, 'took'))),
      cpu: hasCpu ? interval(all.map((round) => figure(round, 'cpu'))) : null,
    });
    return {
      rounds,
      empty: cost((round, of) => round.empty[of]),
      ours: cost((round, of) => round.ours[of] - round.empty[of]),
      before: cost((round, of) => round.before[of] - round.empty[of]),
      ratio: hasCpu
        ? interval(all.map(({ ours, before: old, empty }) => (ours.cpu - empty.cpu) / (old.cpu - empty.cpu)))
        : null,
    };
  } finally {
    await fleet.dispose();
  }
}
