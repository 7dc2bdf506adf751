// The push of events on a real SQLite database, in this process. The receiver is the verifier of Standard Webhooks. A run
// may be ended at any of its calls, as Cloudflare may end it.
import { resolve } from 'node:path';
import { drizzle } from 'drizzle-orm/sqlite-proxy';
import * as fc from 'fast-check';
import Database from 'libsql';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readMigrations } from '../../scripts/migrations.ts';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { signerOf } from './message.ts';
import type { Message, Sign } from './message.ts';
import { moveCursor, openOutbox, readLag, readStanding, startAgain } from './outbox.ts';
import { SLOW_AFTER_MS, pushEvents } from './push.ts';
import type { Ports, Pushed } from './push.ts';
import type { Delivery } from './send.ts';

const SECRET = `whsec_${btoa('a key of this test that has 32 b')}`;
const KEYS = [Uint8Array.from('a key of this test that has 32 b', (character) => character.charCodeAt(0))];
const URL_HASH = sha256Hex('https://receiver.example/');
const BUDGET = { events: 500, ms: 40_000 };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CAUSE = {
  actor: 'operator',
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: '2031-01-01T00:00:00.000Z',
};
const OK: Delivery = { ok: true };
const answered = (status: number, kind: 'again' | 'later' | 'gone'): Delivery => ({
  ok: false,
  reason: `answered ${status}`,
  kind,
});

const database = new Database(':memory:');
let db: Db;
let sign: Sign;
let now = Date.UTC(2031, 0, 1);
beforeAll(async () => {
  for (const [, sql] of readMigrations(resolve(import.meta.dirname, '../..'))) database.exec(sql);
  db = drizzle(
    async (sql, params) => ({ rows: rowsOf(sql, params) }),
    async (queries) => inTransaction(() => queries.map(({ sql, params }) => ({ rows: rowsOf(sql, params) }))),
  );
  sign = await signerOf(KEYS);
  readCursor = database.prepare('SELECT cursor FROM webhook');
});
afterAll(() => database.close());

/** The rows of a statement, each a list of values, as the driver of Drizzle takes them. */
function rowsOf(sql: string, params: unknown[]): unknown[][] {
  const statement = database.prepare(sql);
  if (statement.reader) return statement.raw().all(params) as unknown[][];
  statement.run(params);
  return [];
}

function inTransaction<T>(run: () => T): T {
  return database.transaction(run)() as T;
}

let readCursor: ReturnType<typeof database.prepare>;
const cursor = (): number => {
  const row = readCursor.get([]) as { cursor: number };
  return row.cursor;
};
const newest = (): number => {
  const row = database.prepare('SELECT coalesce(max(id), 0) AS id FROM events').get([]) as {
    id: number;
  };
  return row.id;
};

/** What the receiver has accepted, and whether everything about it is right. */
let receiver: ReturnType<typeof newReceiver>;
function newReceiver(first: number) {
  const verifier = new Webhook(SECRET);
  const idOf = new Map<number, string>();
  const numberOf = new Map<string, number>();
  const accepted = new Set<number>();
  /** The organisation of each event when it was first accepted, and the number of the last one of each. */
  const last = new Map<string, number>();
  const wrong: string[] = [];
  let contiguous = first;
  return {
    accepted,
    wrong,
    sent: [] as number[],
    /** Every event up to this one is acknowledged. */
    acknowledged: () => contiguous,
    async take({ id, body }: Message, delivery: Delivery): Promise<Delivery> {
      // As a receiver does it; throws if the signature is wrong.
      const headers = await sign({ id, body }, Date.now());
      const { data } = verifier.verify(body, headers) as {
        data: { id: string; organisationId: string | null };
      };
      const number = Number(data.id);
      this.sent.push(number);
      if ((idOf.get(number) ?? id) !== id) wrong.push(`event ${number} was sent with another id`);
      if ((numberOf.get(id) ?? number) !== number) wrong.push(`two events were sent as ${id}`);
      idOf.set(number, id);
      numberOf.set(id, number);
      if (!delivery.ok) return delivery;
      const organisation = data.organisationId ?? '';
      if (!accepted.has(number) && number < (last.get(organisation) ?? 0))
        wrong.push(`event ${number} of ${organisation} came late`);
      if (!accepted.has(number)) last.set(organisation, number);
      accepted.add(number);
      while (accepted.has(contiguous + 1)) contiguous++;
      return delivery;
    },
  };
}

/** Writes so many events of some organisations, and of none. */
function givenEvents(count: number, organisations = 5): void {
  const insert = database.prepare(
    "INSERT INTO events (at, organisation_id, actor, action, request_id) VALUES (?, ?, 'a@example.com', 'token.deleted', ?)",
  );
  database.transaction(() => {
    for (let n = 0; n < count; n++) {
      const organisation = n % (organisations + 1);
      insert.run([
        new Date(now).toISOString(),
        organisation === organisations ? null : `org-${organisation}`,
        crypto.randomUUID(),
      ]);
    }
  })();
}

beforeEach(async () => {
  now += 1000 * HOUR;
  database.exec('DELETE FROM webhook');
  givenEvents(3);
  // The first run begins at the newest event.
  await pushed(() => OK);
  receiver = newReceiver(newest());
});

/** The ports of a run. `answer`: what the receiver says to a message. */
function portsOf(answer: (message: Message) => Delivery | Promise<Delivery>, ms = 5): Ports {
  return {
    outbox: openOutbox(db),
    now: () => now,
    async send(message) {
      now += ms;
      return receiver.take(message, await answer(message));
    },
  };
}

function pushed(answer: (message: Message) => Delivery | Promise<Delivery>, ms?: number): Promise<Pushed> {
  return pushEvents(portsOf(answer, ms), URL_HASH, BUDGET);
}

/** Runs by the minute until all is delivered, and answers how many minutes it took. */
async function pushAll(answer: () => Delivery, most = 1000): Promise<number> {
  for (let minutes = 0; minutes < most; minutes++) {
    await pushed(answer);
    if (cursor() === newest()) return minutes;
    now += MINUTE;
  }
  throw new Error(`not delivered: ${cursor()} of ${newest()}`);
}

function expectDelivered(from: number): void {
  expect(receiver.wrong).toEqual([]);
  expect(receiver.accepted.size).toBe(newest() - from);
  expect(cursor()).toBe(newest());
}

describe('the push of events', () => {
  it('begins at the newest event, and sends nothing that is older', async () => {
    expect(receiver.sent).toEqual([]);
    givenEvents(1);
    await pushed(() => OK);
    expect(receiver.sent).toEqual([newest()]);
  });

  it('delivers 10,000 events through a receiver that fails at random, in order, and the cursor is never ahead', async () => {
    const from = newest();
    givenEvents(10_000, 50);
    let state = 20_261_129;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const answers: [until: number, delivery: Delivery][] = [
      [0.05, answered(500, 'again')],
      [0.07, { ok: false, reason: 'no connection', kind: 'again' }],
      [0.08, answered(429, 'later')],
      [0.081, { ok: false, reason: 'no answer within 10 seconds', kind: 'later' }],
      [1, OK],
    ];
    let ahead = 0;
    await pushAll(() => {
      if (cursor() > receiver.acknowledged()) ahead++;
      const at = random();
      return answers.find(([until]) => at < until)?.[1] ?? OK;
    });
    expect(ahead).toBe(0);
    expectDelivered(from);
  });

  it('loses nothing, sends nothing under another id and keeps the order when runs are ended between any two steps', async () => {
    const schedule = fc.array(
      fc.record({
        events: fc.nat(12),
        // After so many calls of the ports the run ends; before the call has an effect, or after it.
        dies: fc.option(fc.record({ at: fc.nat(40), isDone: fc.boolean() })),
        failures: fc.array(fc.nat(30), { maxLength: 3 }),
        restMs: fc.constantFrom(0, 1000, MINUTE, HOUR),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(schedule, async (runs) => {
        now += 2 * HOUR;
        database.exec('DELETE FROM webhook');
        await pushed(() => OK);
        const from = newest();
        receiver = newReceiver(from);
        for (const { events, dies, failures, restMs } of runs) {
          givenEvents(events);
          let sent = 0;
          const { ports, death } = mortal(
            portsOf(() => (failures.includes(sent++) ? answered(503, 'again') : OK)),
            dies,
          );
          await Promise.race([pushEvents(ports, URL_HASH, BUDGET), death]);
          expect(cursor()).toBeLessThanOrEqual(receiver.acknowledged());
          now += restMs;
        }
        now += 2 * HOUR;
        await pushAll(() => OK);
        expectDelivered(from);
      }),
      { numRuns: Number(process.env['WEBHOOK_SCHEDULES'] ?? 25) },
    );
  });

  it('is made by one of two runs at once', async () => {
    givenEvents(30);
    let arrived: () => void = () => undefined;
    let release: () => void = () => undefined;
    const isThere = new Promise<void>((done) => (arrived = done));
    const released = new Promise<void>((done) => (release = done));
    const first = pushed(async () => {
      arrived();
      await released;
      return OK;
    });
    await isThere;
    expect(await pushed(() => OK)).toEqual({ pushed: 0, failure: null });
    release();
    expect(await first).toEqual({ pushed: 30, failure: null });
    expect(receiver.sent).toHaveLength(30);
  });

  it('is taken over from a run that hangs, which then changes nothing more', async () => {
    const from = newest();
    givenEvents(30);
    let arrived: () => void = () => undefined;
    let release: () => void = () => undefined;
    const isThere = new Promise<void>((done) => (arrived = done));
    const released = new Promise<void>((done) => (release = done));
    const hanging = pushed(async () => {
      arrived();
      await released;
      return OK;
    });
    await isThere;
    now += MINUTE;
    expect(await pushed(() => OK)).toEqual({ pushed: 30, failure: null });
    givenEvents(1);
    release();
    await hanging;
    expect(cursor()).toBe(newest() - 1);
    // The message of the first run came twice, with one id.
    expect(receiver.wrong).toEqual([]);
    await pushed(() => OK);
    expectDelivered(from);
  });

  it('tries an event three times at once, and then again after 10 seconds, longer each time, up to 10 minutes', async () => {
    givenEvents(1);
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure++) {
      expect(await pushed(() => answered(503, 'again'), 0)).toEqual({ pushed: 0, failure: 'answered 503' });
      const standing = await readStanding(db);
      waits.push((Date.parse(standing?.nextTryAt ?? '') - now) / 1000);
      now = Date.parse(standing?.nextTryAt ?? '') - 1;
      expect(await pushed(() => OK)).toEqual({ pushed: 0, failure: null });
      now += 1;
    }
    expect(waits).toEqual([10, 30, 90, 270, 600, 600, 600]);
    expect(receiver.sent).toHaveLength(21);
  });

  it('to a receiver that is down for two days loses nothing, and is tried once an hour after a day', async () => {
    const from = newest();
    givenEvents(25);
    const start = now;
    const downUntil = start + 48 * HOUR;
    let tries = 0;
    while (now < downUntil) {
      await pushed(() => answered(502, 'later'), 0);
      tries++;
      const standing = await readStanding(db);
      expect(standing).toMatchObject({ cursor: from, failingSince: new Date(start).toISOString() });
      const wait = Date.parse(standing?.nextTryAt ?? '') - now;
      expect(wait).toBe(
        now - start >= SLOW_AFTER_MS ? HOUR : Math.min(10_000 * 3 ** (tries - 1), 10 * MINUTE),
      );
      now += wait;
    }
    givenEvents(5);
    await pushed(() => OK);
    expectDelivered(from);
    expect(await readStanding(db)).toMatchObject({
      failures: 0,
      failingSince: null,
      lastError: 'answered 502',
    });
  });

  it('stops at 410 with an event for the operator, and goes on with another URL or after a test', async () => {
    const from = newest();
    givenEvents(2);
    let sent = 0;
    await pushed(() => (sent++ === 0 ? OK : answered(410, 'gone')));
    expect(cursor()).toBe(from + 1);
    const event = database.prepare('SELECT * FROM events ORDER BY id DESC LIMIT 1').get([]);
    expect(event).toMatchObject({
      action: 'webhook.stopped',
      actor: 'system',
      organisation_id: null,
      detail: 'answered 410',
    });
    now += 48 * HOUR;
    expect(await pushed(() => OK)).toEqual({ pushed: 0, failure: null });
    expect(newest()).toBe(from + 3);
    // Another URL.
    await pushEvents(
      portsOf(() => answered(410, 'gone')),
      sha256Hex('another'),
      BUDGET,
    );
    expect(newest()).toBe(from + 4);
    expect(await readStanding(db)).toMatchObject({ stoppedAt: expect.any(String) as string });
    await startAgain(db, sha256Hex('another'));
    await pushEvents(
      portsOf(() => OK),
      sha256Hex('another'),
      BUDGET,
    );
    expectDelivered(from);
  });

  it('holds every event behind one that is never accepted, until the operator moves the cursor', async () => {
    const from = newest();
    givenEvents(3);
    const isPoison = ({ body }: Message) => body.includes(`"id":"${from + 2}"`);
    const answer = (message: Message) => (isPoison(message) ? answered(400, 'later') : OK);
    for (let hour = 0; hour < 50; hour++) {
      await pushed(answer);
      now += HOUR;
    }
    expect(cursor()).toBe(from + 1);
    expect(await readLag(db, cursor(), 10)).toMatchObject({ events: 2 });
    expect(await readLag(db, cursor(), 1)).toMatchObject({ events: 1 });
    // Not behind an event that is still to come.
    expect(await moveCursor(db, CAUSE, newest() + 1)).toBe(false);
    expect(await moveCursor(db, CAUSE, from + 2)).toBe(true);
    await pushed(answer);
    // With the event about it.
    expect([...receiver.accepted]).toEqual([from + 1, from + 3, from + 4]);
    // Back to an earlier one: the same events come again, with the same ids.
    expect(await moveCursor(db, CAUSE, from)).toBe(true);
    await pushed(() => OK);
    expectDelivered(from);
  });

  it('ends when Cloudflare allows no more requests, and keeps what was acknowledged', async () => {
    const from = newest();
    givenEvents(30);
    let sent = 0;
    const limited: Delivery = { ok: false, reason: 'too many requests', kind: 'limited' };
    expect(await pushed(() => (sent++ < 17 ? OK : limited))).toEqual({ pushed: 17, failure: null });
    expect(cursor()).toBe(from + 17);
    expect(await readStanding(db)).toMatchObject({ failures: 0, holder: null, lastError: null });
  });

  it('begins no request after its time, with a slow receiver too', async () => {
    givenEvents(30);
    expect(await pushed(() => OK, 9000)).toEqual({ pushed: 5, failure: null });
    expect(cursor()).toBe(newest() - 25);
  });
});

/** The same ports. After `dies.at` calls no call answers any more, and the last one has had its effect or not. */
function mortal(
  ports: Ports,
  dies: { at: number; isDone: boolean } | null,
): { ports: Ports; death: Promise<void> } {
  let calls = 0;
  let die: () => void = () => undefined;
  const death = new Promise<void>((done) => (die = done));
  const never = new Promise<never>(() => undefined);
  const step = async <T>(run: () => Promise<T>): Promise<T> => {
    const isLast = dies !== null && calls++ === dies.at;
    if (isLast && dies.isDone) await run();
    if (!isLast) return run();
    die();
    return never;
  };
  const outbox = new Proxy(ports.outbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => step(async () => Reflect.apply(value, target, args) as Promise<unknown>);
    },
  });
  return { ports: { outbox, now: ports.now, send: (message) => step(() => ports.send(message)) }, death };
}
