// Replacing a value while services call with it, from outside: two isolates of the real bundle, on one database, KV and hubs.
import { setTimeout as delay } from 'node:timers/promises';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startIsolates } from './isolates.ts';
import { inD1, signIn } from './member.ts';
import type { Member } from './member.ts';
import { monotonicNow } from './monotonic.ts';
import { statusOf } from './ping.ts';

const CALLERS = 32;
const MINUTES_3 = 180_000;
/** Clocks at the edge agree within about a second; those of this machine are one clock. */
const SKEW_MS = 1000;

let miniflare: Miniflare;
let member: Member;
let origins: [string, string];

beforeAll(async () => {
  miniflare = await startIsolates(['here', 'there'], { REVOCATION_LEASE_MS: '500', HUB_LEASE_MS: '3000' });
  origins = [
    (await miniflare.unsafeGetDirectURL('here')).origin,
    (await miniflare.unsafeGetDirectURL('there')).origin,
  ];
  member = await signIn(inD1(await miniflare.getD1Database('DB', 'here')));
});
afterAll(() => miniflare?.dispose());

/** One call: when it began, on the clock of the tests and of the day, and how it ended. */
type Seen = { startedAt: number; wallAt: number; doneAt: number; status: number };

/** Callers of one value, in turn at both isolates, until they are stopped. */
function callOn(secret: () => string, callers: number) {
  const progress = { isOver: false };
  const seen: Seen[] = [];
  const all = Array.from({ length: callers }, async (_, index) => {
    while (!progress.isOver) {
      const [startedAt, wallAt] = [monotonicNow(), Date.now()];
      const status = await statusOf(origins[index % 2] ?? '', secret());
      seen.push({ startedAt, wallAt, doneAt: monotonicNow(), status });
      await delay(20);
    }
  });
  return {
    /** Waits until so many calls have ended that began after `from`. */
    until: (from: number, many: number) =>
      expect
        .poll(() => seen.filter(({ startedAt }) => startedAt > from).length, { timeout: 60_000 })
        .toBeGreaterThanOrEqual(many),
    async stop(): Promise<Seen[]> {
      progress.isOver = true;
      await Promise.all(all);
      return seen;
    },
  };
}

type Answer = { token: { id: string; retiring: { retiresAt: string } | null }; secret: string };
const write = (path: string, body: object) => member.write(origins[0], 'POST', path, body) as Promise<Answer>;
const statuses = (seen: Seen[]) => [...new Set(seen.map(({ status }) => status))];

it(
  'at ten tokens, no call of 32 callers fails while both values work, and none with the old one is accepted after its end',
  async () => {
    const { path, organisation, secret: old } = await member.givenToken(origins[0]);
    for (let count = 1; count < 10; count++) await member.addToken(origins[0], organisation);
    const before = callOn(() => old, CALLERS / 2);
    await before.until(0, CALLERS);
    const { secret } = await write(`${path}/rotate`, { retire: '24h' });
    const after = callOn(() => secret, CALLERS / 2);
    const rotatedAt = monotonicNow();
    await Promise.all([before.until(rotatedAt, 200), after.until(rotatedAt, 200)]);
    const endsAt = monotonicNow();
    await write(`${path}/retire`, {});
    const endedAt = monotonicNow();
    await Promise.all([before.until(endedAt, 200), after.until(endedAt, 200)]);
    const [withOld, withNew] = await Promise.all([before.stop(), after.stop()]);
    expect(statuses(withNew)).toEqual([200]);
    expect(statuses(withOld.filter(({ doneAt }) => doneAt < endsAt))).toEqual([200]);
    const late = withOld.filter(({ startedAt }) => startedAt > endedAt);
    expect(statuses(late)).toEqual([401]);
  },
  MINUTES_3,
);

it(
  'a time that has passed ends the old value everywhere without a further change, and not before',
  async () => {
    const { path, secret: old } = await member.givenToken(origins[0]);
    const db = await miniflare.getD1Database('DB', 'here');
    const { secret, token } = await write(`${path}/rotate`, { retire: '1h' });
    // The shortest choice is an hour. The same row with an end in some seconds, by the statements of a member of the platform.
    const end = Date.now() + 6000;
    await db.batch([
      db.prepare('DROP TRIGGER replaced_secrets_identity'),
      db
        .prepare('UPDATE replaced_secrets SET retires_at = ? WHERE token_id = ?')
        .bind(new Date(end).toISOString(), token.id),
      // Its trigger would have written this.
      db
        .prepare('INSERT INTO changes (token_hash) SELECT hash FROM replaced_secrets WHERE token_id = ?')
        .bind(token.id),
    ]);
    const before = callOn(() => old, CALLERS / 2);
    const after = callOn(() => secret, CALLERS / 2);
    await delay(end - Date.now() + SKEW_MS);
    const passedAt = monotonicNow();
    await Promise.all([before.until(passedAt, 100), after.until(passedAt, 100)]);
    const [withOld, withNew] = await Promise.all([before.stop(), after.stop()]);
    expect(statuses(withNew)).toEqual([200]);
    expect(statuses(withOld.filter(({ wallAt }) => wallAt < end - 2 * SKEW_MS))).toEqual([200]);
    const late = withOld.filter(({ wallAt }) => wallAt > end + SKEW_MS);
    expect(statuses(late)).toEqual([401]);
  },
  MINUTES_3,
);

it('five services that change over one by one never fail under "when-silent", however often silence is judged', async () => {
  const { path, secret: old } = await member.givenToken(origins[0]);
  const { secret, token } = await write(`${path}/rotate`, { retire: 'when-silent' });
  const worker = await miniflare.getWorker('here');
  const db = await miniflare.getD1Database('DB', 'here');
  const judge = () => worker.scheduled({ cron: '*/10 * * * *', scheduledTime: new Date() });
  const row = () =>
    db
      .prepare('SELECT last_used_at, successor_used_at, retired_at FROM replaced_secrets WHERE token_id = ?')
      .bind(token.id)
      .first<Record<'last_used_at' | 'successor_used_at' | 'retired_at', string | null>>();
  /** An hour and some minutes of silence of a replaced value. */
  const silence = (id: string) =>
    db
      .prepare(
        'UPDATE replaced_secrets SET last_used_at = ?, successor_used_at = coalesce(successor_used_at, ?) WHERE token_id = ?',
      )
      .bind(new Date(Date.now() - 66 * 60_000).toISOString(), new Date().toISOString(), id)
      .run();
  const givenSilent = async () => {
    const other = await member.givenToken(origins[0]);
    await write(`${other.path}/rotate`, { retire: 'when-silent' });
    await silence(other.id);
  };
  const uses = Array.from({ length: 5 }, () => ({ secret: old }));
  const services = uses.map((use) => callOn(() => use.secret, 1));
  for (const use of uses) {
    await delay(500);
    await judge();
    use.secret = secret;
  }
  // Isolates tell hubs of uses after ten seconds.
  await delay(12_000);
  await judge();
  const seen = (await Promise.all(services.map(({ stop }) => stop()))).flat();
  expect(statuses(seen)).toEqual([200]);
  // A run has all hubs write what they know where any value may be silent. Without one they write once a minute.
  await givenSilent();
  await judge();
  await expect.poll(row, { timeout: 90_000, interval: 1000 }).toMatchObject({
    last_used_at: expect.any(String),
    successor_used_at: expect.any(String),
    retired_at: null,
  });
  await judge();
  expect(await statusOf(origins[1], old)).toBe(200);
  await expect
    .poll(
      async () => {
        await silence(token.id);
        await judge();
        return (await row())?.retired_at;
      },
      { timeout: 60_000, interval: 2000 },
    )
    .toEqual(expect.any(String));
  for (const origin of origins)
    await expect.poll(() => statusOf(origin, old), { timeout: 15_000, interval: 200 }).toBe(401);
  expect(await statusOf(origins[1], secret)).toBe(200);
}, 300_000);
