// The statements of the push. The events are the outbox: the cursor is the number of the last one that the receiver has acknowledged.
// D1 and libSQL have one writer, so an event with a smaller number never appears behind the cursor later.
import { and, asc, eq, getTableColumns, gt, isNull, lte, or, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { eventColumns, listEventsOnwards } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { events, webhook } from '../tables.ts';

export type OutboxState = typeof webhook.$inferSelect & { newest: number };
export type Outbox = ReturnType<typeof openOutbox>;

const newest = sql<number>`(SELECT coalesce(max(${events.id}), 0) FROM ${events})`;

/** How the pushes stand, or null before the first one. `newest`: the number of the newest event, 0 where there is none. */
export async function readStanding(db: Db): Promise<OutboxState | null> {
  const [row] = await db
    .select({ ...getTableColumns(webhook), newest })
    .from(webhook)
    .where(eq(webhook.id, 1));
  return row ?? null;
}

/** The first push begins at the newest event. Nothing happens where pushes have begun. */
export async function begin(db: Db, urlHash: string): Promise<void> {
  await db.run(
    sql`INSERT INTO ${webhook} (id, url_hash, cursor) SELECT 1, ${urlHash}, ${newest} WHERE true ON CONFLICT DO NOTHING`,
  );
}

/** Forgets failures and a stop: the URL is another one, or a test has shown that the receiver takes messages. */
export async function startAgain(db: Db, urlHash: string): Promise<void> {
  await db
    .update(webhook)
    .set({ urlHash, failures: 0, failingSince: null, nextTryAt: null, stoppedAt: null })
    .where(eq(webhook.id, 1));
}

/**
 * Puts the cursor behind the event of this number, and answers whether it did: there may be no such event yet. The run that pushes
 * now loses its hold, so that it cannot move the cursor back; the next one begins at once. The event about it is always pushed.
 */
export async function moveCursor(db: Db, cause: Cause, cursor: number): Promise<boolean> {
  // As text: D1 binds every number as a fraction, and would write "9.0".
  const detail = sql`${webhook.cursor} || ${` → ${cursor}`}`;
  const { moved } = await batch(db, {
    recorded: db.insert(events).select(
      db
        .select(eventColumns('webhook.moved', cause, { organisationId: null, detail }))
        .from(webhook)
        .where(and(eq(webhook.id, 1), sql`${cursor} <= ${newest}`)),
    ),
    // The event above is the newest one now, where it was written.
    moved: db
      .update(webhook)
      .set({ cursor, holder: null, heldUntil: null, nextTryAt: null })
      .where(and(eq(webhook.id, 1), sql`${cursor} < ${newest}`))
      .returning({ cursor: webhook.cursor }),
  });
  return moved.length > 0;
}

/** How many events wait, up to `most`, and when the first of them happened (RFC 3339; null: none waits). */
export async function readLag(db: Db, cursor: number, most: number) {
  const waiting = db.select({ id: events.id }).from(events).where(gt(events.id, cursor)).limit(most);
  const [first] = await db
    .select({ at: events.at, count: sql<number>`(SELECT count(*) FROM ${waiting})` })
    .from(events)
    .where(gt(events.id, cursor))
    .orderBy(asc(events.id))
    .limit(1);
  return { events: first?.count ?? 0, firstAt: first?.at ?? null };
}

/** What a run asks of the database. All instants are RFC 3339. `holder`: an id of the run. */
export function openOutbox(db: Db) {
  const isHeldBy = (holder: string) => and(eq(webhook.id, 1), eq(webhook.holder, holder));
  return {
    readStanding: () => readStanding(db),
    begin: (urlHash: string) => begin(db, urlHash),
    startAgain: (urlHash: string) => startAgain(db, urlHash),

    /** Takes the hold until `until`, and answers how the pushes stand; null where another run has it, or no try is due. */
    async take(holder: string, now: string, until: string) {
      const [row] = await db
        .update(webhook)
        .set({ holder, heldUntil: until })
        .where(
          and(
            eq(webhook.id, 1),
            or(isNull(webhook.heldUntil), lte(webhook.heldUntil, now)),
            isNull(webhook.stoppedAt),
            or(isNull(webhook.nextTryAt), lte(webhook.nextTryAt, now)),
          ),
        )
        .returning({
          cursor: webhook.cursor,
          failures: webhook.failures,
          failingSince: webhook.failingSince,
        });
      return row ?? null;
    },

    eventsAfter: (cursor: number, most: number) => listEventsOnwards(db, { after: cursor }, most),

    /** Everything up to `cursor` is acknowledged. `until` null: the run ends. Answers false where the run has lost its hold. */
    async acknowledge(holder: string, cursor: number, at: string, until: string | null): Promise<boolean> {
      const kept = await db
        .update(webhook)
        .set({
          cursor,
          lastSuccessAt: at,
          failures: 0,
          failingSince: null,
          nextTryAt: null,
          holder: until === null ? null : holder,
          heldUntil: until,
        })
        .where(isHeldBy(holder))
        .returning({ cursor: webhook.cursor });
      return kept.length > 0;
    },

    /** The run ends, and nothing was acknowledged since the last time. */
    async release(holder: string): Promise<void> {
      await db.update(webhook).set({ holder: null, heldUntil: null }).where(isHeldBy(holder));
    },

    /** The run ends with a failure. */
    async postpone(
      holder: string,
      failure: { failures: number; failingSince: string; nextTryAt: string; reason: string; at: string },
    ): Promise<void> {
      const { reason, at, ...rest } = failure;
      await db
        .update(webhook)
        .set({ ...rest, lastError: reason, lastErrorAt: at, holder: null, heldUntil: null })
        .where(isHeldBy(holder));
    },

    /** The receiver wants no more messages. The event is for the operator; no organisation has it. */
    async stop(holder: string, cause: Cause, reason: string): Promise<void> {
      const { at } = cause;
      await batch(db, {
        recorded: db.insert(events).select(
          db
            .select(eventColumns('webhook.stopped', cause, { organisationId: null, detail: reason }))
            .from(webhook)
            .where(isHeldBy(holder)),
        ),
        stopped: db
          .update(webhook)
          .set({ stoppedAt: at, lastError: reason, lastErrorAt: at, holder: null, heldUntil: null })
          .where(isHeldBy(holder)),
      });
    },
  };
}
