// A secret that is to retire when it is silent, around the real verifier, hub, sums of calls and rule of silence: services that call
// at least once an hour and change over one by one, hubs that cannot write for hours, isolates that cannot reach their hub for
// some seconds, and messages that are late. Time is virtual; one seed gives one history.
import { retireSilent } from '../../token/retirement.ts';
import type { SilenceRules } from '../../token/retirement.ts';
import { Hub } from '../hub/hub.ts';
import { Usage } from '../hub/usage.ts';
import { IsolateVerifier } from '../isolate/verifier.ts';
import type { Context } from '../isolate/verifier.ts';
import { randomFrom } from './random.ts';
import { SERVER, Table, hashOf, holderOf } from './table.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const SERVICES = 3;
/** Services have changed over by now; the rest is silence. */
const CHANGED_OVER = 6 * HOUR;
const LENGTH = 12 * HOUR;
const RUN_MS = 10 * MINUTE;
const OLD = hashOf('old');
const NEW = hashOf('new');

/** The calls that failed, how many there were, and when the old secret was retired (ms from its replacement), or null. */
export type Outcome = { failed: number; calls: number; retiredAt: number | null };

export async function playSilence(seed: number, rules: SilenceRules): Promise<Outcome> {
  const random = randomFrom(seed);
  /** A separate stream, so that an isolate's random numbers do not change the schedule. */
  const isolateRandom = randomFrom(~seed);
  const outcome: Outcome = { failed: 0, calls: 0, retiredAt: null };
  let time = 0;
  let order = 0;
  const queue: { at: number; order: number; run: () => void }[] = [];
  const after = (ms: number, run: () => void): void => {
    queue.push({ at: time + ms, order: order++, run });
    queue.sort((one, other) => other.at - one.at || other.order - one.order);
  };
  const sleep = (ms: number) => new Promise<void>((done) => after(ms, done));
  const now = () => time;

  const table = new Table();
  table.change('old', holderOf('token'));
  table.change('new', holderOf('token'));
  /** Last uses as the database knows them. */
  const used = new Map<string, number>();
  const hubs = [0, 1].map(() => ({ hub: new Hub(table, now, 10 * SECOND), usage: new Usage(), cutUntil: 0 }));
  const write = async ({ usage, cutUntil }: (typeof hubs)[number]): Promise<boolean> => {
    await sleep(random() * SECOND);
    if (time < cutUntil) return false;
    for (const { hash = OLD, usedAt } of usage.take())
      if (usedAt !== null) used.set(hash, Math.max(used.get(hash) ?? 0, Date.parse(usedAt)));
    return true;
  };
  const isolates = hubs.map((seat) => {
    const link = { cutUntil: 0 };
    const verifier = new IsolateVerifier({
      now,
      sleep,
      hub: {
        async sync(ask, counts) {
          await sleep(random() * 100);
          if (time < link.cutUntil) throw new Error('the hub is out of reach');
          const answer = await seat.hub.sync(ask);
          seat.usage.add(counts, time);
          return answer;
        },
      },
      cache: { get: async () => null, put: async () => undefined },
      source: table,
      random: isolateRandom,
      isRead: () => false,
      leaseMs: SECOND,
    });
    return { verifier, link };
  });

  const call = async (hash: typeof OLD): Promise<void> => {
    outcome.calls++;
    const isolate = isolates[Math.floor(random() * isolates.length)];
    if (isolate === undefined) return;
    // Sometimes the hub is out of reach at this moment, for a shorter time than an isolate keeps its counts.
    if (random() < 0.3) isolate.link.cutUntil = time + random() * 20 * SECOND;
    const context: Context = {
      caller: SERVER,
      waitUntil: (promise) => void promise.catch(() => undefined),
    };
    const said = isolate.verifier.recall(hash, context) ?? (await isolate.verifier.lookUp(hash, context));
    if (!said.ok) outcome.failed++;
  };
  /** The time from one call of a service to its next: an hour at most. */
  const gap = () => (random() < 0.5 ? 59 * MINUTE + random() * 55 * SECOND : random() * 59 * MINUTE);
  for (let service = 0; service < SERVICES; service++) {
    const changesOverAt = service === 0 ? 0 : random() * CHANGED_OVER;
    const serve = (): void => {
      if (time > CHANGED_OVER) return;
      void call(time < changesOverAt ? OLD : NEW);
      after(gap(), serve);
    };
    after(random() * 59 * MINUTE, serve);
  }
  for (const seat of hubs) {
    const beat = (): void => {
      void write(seat);
      if (time < LENGTH) after(MINUTE, beat);
    };
    after(random() * MINUTE, beat);
    after(random() * CHANGED_OVER, () => {
      seat.cutUntil = time + random() * 3 * HOUR;
    });
  }
  const judge = async (): Promise<void> => {
    const isSilent = (before: string): boolean =>
      outcome.retiredAt === null && used.has(NEW) && (used.get(OLD) ?? 0) < Date.parse(before);
    await retireSilent(
      {
        now,
        mayBeSilent: async (before) => isSilent(before),
        writeUses: async () => (await Promise.all(hubs.map(write))).every(Boolean),
        async retire(before) {
          if (!isSilent(before)) return 0;
          outcome.retiredAt = time;
          table.change('old', holderOf('token', false));
          return 1;
        },
      },
      rules,
    );
    if (time < LENGTH) after(RUN_MS, () => void judge());
  };
  after(random() * RUN_MS, () => void judge());

  for (let next = queue.pop(); next !== undefined && time < LENGTH + HOUR; next = queue.pop()) {
    time = next.at;
    next.run();
    await new Promise((done) => {
      setImmediate(done);
    });
  }
  return outcome;
}
