// The promise under load: four processes call three isolates over pipelined connections while tokens are switched off and on,
// deleted, and lose their plan. A call that is sent after the answer of a change must have the new result. `npm run test:all`
// runs it for some seconds; LOAD_SECONDS=300 makes a long run.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Orders, Seen } from './caller.ts';
import { startIsolates } from './isolates.ts';
import { inD1, signIn } from './member.ts';
import { monotonicNow } from './monotonic.ts';

const SECONDS = Number(process.env['LOAD_SECONDS'] ?? 6);
const PROCESSES = 4;
/** Open calls on each connection. */
const DEPTH = 8;
const FEWEST_CHANGES = 12;
const REST_MS = 500;
const NAMES = ['one', 'two', 'three'] as const;

/** From `answeredAt` on, calls with the secret must have this status. From `startedAt` until then, old and new are both right. */
type Change = { startedAt: number; answeredAt: number; status: number };

let miniflare: Miniflare;
beforeAll(async () => {
  miniflare = await startIsolates([...NAMES]);
});
afterAll(() => miniflare?.dispose());

it(
  'no call of four processes through three isolates has the old result after a change has answered',
  { timeout: 60_000 + SECONDS * 2000 },
  async () => {
    const origins = await Promise.all(
      NAMES.map(async (name) => (await miniflare.unsafeGetDirectURL(name)).origin),
    );
    const [here = ''] = origins;
    const member = await signIn(inD1(await miniflare.getD1Database('DB', 'one')));
    const [switched, deleted, planned] = [
      await member.givenToken(here),
      await member.givenToken(here),
      await member.givenToken(here),
    ];
    const tokens = [switched, deleted, planned].map(({ path, secret }) => ({ path, secret }));
    for (const { organisation } of [switched, switched, switched, deleted, deleted, planned])
      tokens.push(await member.addToken(here, organisation));
    const changes: Change[][] = tokens.map(() => [{ startedAt: 0, answeredAt: monotonicNow(), status: 200 }]);

    const orders: Orders = { origins, secrets: tokens.map(({ secret }) => secret), depth: DEPTH };
    const callers = Array.from({ length: PROCESSES }, () => {
      const child = fork(join(import.meta.dirname, 'caller.ts'), { execArgv: ['--no-warnings'] });
      const started = new Promise((done) => child.once('message', done));
      child.send(orders);
      return { child, started };
    });
    await Promise.all(callers.map(({ started }) => started));

    const end = new AbortController();
    const made = () => changes.flat().length - tokens.length;
    let turn = 0;
    /** Makes a change through the isolates in turn, for the tokens that it concerns. */
    async function change(which: number[], status: number, make: (origin: string) => Promise<unknown>) {
      const startedAt = monotonicNow();
      await make(origins[turn++ % origins.length] ?? here);
      const answeredAt = monotonicNow();
      for (const token of which) changes[token]?.push({ startedAt, answeredAt, status });
      // Time for calls to be sent and answered before the next change begins.
      await delay(REST_MS);
    }
    const of = ({ organisation }: { organisation: string }) =>
      tokens.flatMap(({ path }, index) => (path.includes(`/${organisation}/`) ? [index] : []));
    const toggling = of(switched).map(async (token) => {
      for (let active = false; !end.signal.aborted; active = !active) {
        await change([token], active ? 200 : 401, (origin) =>
          member.write(origin, 'PATCH', tokens[token]?.path ?? '', { active }),
        );
      }
    });
    const deleting = (async () => {
      for (const token of of(deleted)) {
        await delay((SECONDS * 1000) / 4);
        await change([token], 401, (origin) => member.write(origin, 'DELETE', tokens[token]?.path ?? ''));
      }
    })();
    const planning = (async () => {
      for (let plan = 'pro'; !end.signal.aborted; plan = plan === 'pro' ? 'enterprise' : 'pro') {
        await change(of(planned), plan === 'pro' ? 403 : 200, (origin) =>
          member.write(origin, 'PUT', `/operator/organisations/${planned.organisation}`, {
            name: 'Acme',
            plan,
          }),
        );
      }
    })();
    await delay(SECONDS * 1000);
    // On a busy machine it takes longer until there are enough changes.
    while (made() < FEWEST_CHANGES) await delay(100);
    end.abort();
    await Promise.all([...toggling, deleting, planning]);
    const reports = await Promise.all(
      callers.map(({ child }) => {
        const report = new Promise<Seen[]>((done) => child.once('message', done));
        child.send('end');
        return report;
      }),
    );

    const wrong: unknown[] = [];
    let judged = 0;
    for (const [token, sentAt, doneAt, status] of reports.flat()) {
      const known = changes[token] ?? [];
      const last = known.findLastIndex(({ answeredAt }) => answeredAt < sentAt);
      const next = known[last + 1];
      if (last === -1 || (next !== undefined && next.startedAt < doneAt)) continue;
      judged++;
      const expected = known[last]?.status;
      if (status !== expected)
        wrong.push({ token, status, expected, lateMs: (sentAt - (known[last]?.answeredAt ?? 0)) / 1e6 });
    }
    console.log(`${judged} calls judged, ${reports.flat().length} made, ${made()} changes.`);
    expect(wrong).toEqual([]);
    expect(judged).toBeGreaterThan(100);
  },
);
