// The statements of the push, in the order in which runs send them. Run on every kind of database; push.node.test.ts has the runs.
import { desc } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { events, webhook } from '../tables.ts';
import { moveCursor, openOutbox, readLag, readStanding, startAgain } from './outbox.ts';
import { pushEvents } from './push.ts';
import type { Ports } from './push.ts';
import type { Delivery } from './send.ts';

const URL_HASH = sha256Hex('https://receiver.example/');
const START = Date.parse('2031-01-01T00:00:00.000Z');
const SECOND = 1000;
const iso = (ms: number) => new Date(ms).toISOString();

/** `open` is called before the first test. */
export function describeOutbox(open: () => Promise<Db>): void {
  let db: Db;
  let now = START;
  let sent: number[] = [];
  beforeAll(async () => {
    db = await open();
  });

  async function happen(count: number): Promise<number[]> {
    const rows: { id: number }[] = [];
    for (let made = 0; made < count; made++)
      rows.push(
        ...(await db
          .insert(events)
          .values({
            at: iso(now),
            actor: 'a@example.com',
            action: 'token.deleted',
            organisationId: 'acme',
            requestId: crypto.randomUUID(),
          })
          .returning({ id: events.id })),
      );
    return rows.map(({ id }) => id);
  }
  const portsOf = (answer: () => Delivery | Promise<Delivery>): Ports => ({
    outbox: openOutbox(db),
    now: () => now,
    async send({ body }) {
      sent.push(Number((JSON.parse(body) as { data: { id: string } }).data.id));
      return answer();
    },
  });
  const push = (answer: () => Delivery | Promise<Delivery>, urlHash = URL_HASH) =>
    pushEvents(portsOf(answer), urlHash, { events: 500, ms: 40 * SECOND });
  const accept = (): Delivery => ({ ok: true });
  const refuse = (kind: 'later' | 'gone') => (): Delivery => ({ ok: false, reason: 'answered 4xx', kind });

  describe('the row of the push', () => {
    beforeEach(async () => {
      await db.delete(webhook);
      now += 1000 * SECOND;
      await happen(1);
      await push(accept);
      sent = [];
    });

    it('begins at the newest event, and moves to the last one that was acknowledged', async () => {
      const ids = await happen(12);
      expect(await readLag(db, (await readStanding(db))?.cursor ?? -1, 10)).toEqual({
        events: 10,
        firstAt: iso(now),
      });
      expect(await push(accept)).toEqual({ pushed: 12, failure: null });
      expect(sent).toEqual(ids);
      expect(await readStanding(db)).toMatchObject({
        cursor: ids.at(-1),
        newest: ids.at(-1),
        holder: null,
        heldUntil: null,
        lastSuccessAt: iso(now),
      });
      expect(await push(accept)).toEqual({ pushed: 0, failure: null });
    });

    it('is held by one run, until its time is over; the run that lost it writes nothing', async () => {
      const ids = await happen(12);
      const outbox = openOutbox(db);
      const cursor = (ids[0] ?? 0) - 1;
      expect(await outbox.take('one', iso(now), iso(now + SECOND))).toEqual({
        cursor,
        failures: 0,
        failingSince: null,
      });
      expect(await push(accept)).toEqual({ pushed: 0, failure: null });
      now += SECOND;
      expect(await push(accept)).toEqual({ pushed: 12, failure: null });
      const before = await readStanding(db);
      expect(await outbox.acknowledge('one', cursor, iso(now), null)).toBe(false);
      await outbox.release('one');
      await outbox.postpone('one', {
        failures: 1,
        failingSince: iso(now),
        nextTryAt: iso(now),
        reason: 'late',
        at: iso(now),
      });
      await outbox.stop('one', { ...CAUSE, at: iso(now) }, 'late');
      expect(await readStanding(db)).toEqual(before);
    });

    it('says why a try failed and when the next one is due, and forgets both after a success', async () => {
      const [id = 0] = await happen(1);
      for (const [failures, seconds] of [
        [1, 10],
        [2, 30],
      ] as const) {
        expect(await push(refuse('later'))).toEqual({ pushed: 0, failure: 'answered 4xx' });
        expect(await readStanding(db)).toMatchObject({
          cursor: id - 1,
          failures,
          nextTryAt: iso(now + seconds * SECOND),
          lastError: 'answered 4xx',
          lastErrorAt: iso(now),
          holder: null,
        });
        expect(await push(accept)).toEqual({ pushed: 0, failure: null });
        now += seconds * SECOND;
      }
      expect(await push(accept)).toEqual({ pushed: 1, failure: null });
      expect(await readStanding(db)).toMatchObject({
        cursor: id,
        failures: 0,
        failingSince: null,
        nextTryAt: null,
      });
    });

    it('is stopped by 410 with an event, and begins again where it was', async () => {
      const [id = 0] = await happen(1);
      expect(await push(refuse('gone'))).toEqual({ pushed: 0, failure: 'answered 4xx' });
      const [event] = await db.select().from(events).orderBy(desc(events.id)).limit(1);
      expect(event).toMatchObject({
        action: 'webhook.stopped',
        organisationId: null,
        detail: 'answered 4xx',
      });
      expect(await push(accept)).toEqual({ pushed: 0, failure: null });
      await startAgain(db, URL_HASH);
      sent = [];
      expect(await push(accept)).toEqual({ pushed: 2, failure: null });
      expect(sent).toEqual([id, event?.id]);
    });

    it('is moved by the operator with an event, but not behind one that is still to come', async () => {
      const [first = 0, second = 0] = await happen(2);
      expect(await moveCursor(db, { ...CAUSE, at: iso(now) }, second + 1)).toBe(false);
      expect(await moveCursor(db, { ...CAUSE, at: iso(now) }, first)).toBe(true);
      expect(await push(accept)).toEqual({ pushed: 2, failure: null });
      const [event] = await db.select().from(events).orderBy(desc(events.id)).limit(1);
      expect(event).toMatchObject({ action: 'webhook.moved', detail: `${first - 1} → ${first}` });
      expect(sent).toEqual([second, event?.id]);
    });
  });
}

const CAUSE = { actor: 'operator', requestId: 'r', ip: null, userAgent: null };
