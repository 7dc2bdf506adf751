// What members are told by mail. The audit log is the list of what happened: a run looks at the events after the last one that was
// looked at, and adds them to a notice for each organisation and kind. A notice is closed when a minute has passed since the last
// one of its kind, and then its mails are queued, some members at a time. What comes later is told by the next notice.
import {
  and,
  asc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lte,
  ne,
  not,
  or,
  sql,
} from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import { NEW_BROWSER } from '../activity/events.ts';
import { ofNow } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import {
  events,
  mailProgress,
  mails,
  members,
  notices,
  organisations,
  replacedSecrets,
  tokens,
  tombstones,
} from '../tables.ts';
import { SIGN_IN, TOLD } from './mails.ts';
import type { Notice } from './mails.ts';
import type { ToldEvent } from './notice-mail.ts';

/** For so long a notice is told, from its first event on. News that is older is in the activity alone. */
export const NOTICE_MS = 24 * 60 * 60 * 1000;
/** So many events are looked at by one statement. */
const EVENTS = 500;
/** The mails of so many members are queued at a time. */
const MEMBERS = 20;

const own = eq(mailProgress.id, 1);

function isoBefore(at: string): string {
  return new Date(Date.parse(at) - NOTICE_MS).toISOString();
}

/** Where no mail can be sent, nothing waits: what happens until one can is not mailed. */
export async function passEvents(db: Db): Promise<void> {
  const newest = sql`(SELECT max(id) FROM ${events})`;
  await db
    .update(mailProgress)
    .set({ eventId: newest })
    .where(and(own, sql`${mailProgress.eventId} < ${newest}`));
}

/**
 * Adds the next events to the notices, and answers whether there may be more. One batch: an event is in a notice exactly if it was
 * looked at, also when two runs look at it at once. `at`: now, RFC 3339.
 */
export async function noteEvents(db: Db, at: string): Promise<boolean> {
  const next = db
    .select({ id: events.id })
    .from(events)
    .where(gt(events.id, mailProgress.eventId))
    .orderBy(asc(events.id))
    .limit(EVENTS);
  const [page] = await db
    .select({ seen: mailProgress.eventId, last: sql<number | null>`(SELECT max(id) FROM ${next})` })
    .from(mailProgress)
    .where(own);
  if (page === undefined || page.last === null) return false;
  const { seen, last } = page;
  const isNext = exists(
    db
      .select({ one: sql`1` })
      .from(mailProgress)
      .where(and(own, eq(mailProgress.eventId, seen))),
  );
  const recipient = sql<string>`iif(${events.action} = ${SIGN_IN}, ${events.actor}, '')`;
  const before = alias(events, 'before');
  // A sign-in is an event in each of the member's organisations, one after the other. The first one is told.
  const isFirst = not(
    exists(
      db
        .select({ one: sql`1` })
        .from(before)
        .where(
          and(
            eq(before.id, sql`${events.id} - 1`),
            eq(before.action, SIGN_IN),
            eq(before.requestId, events.requestId),
          ),
        ),
    ),
  );
  const former = alias(notices, 'former');
  const minuteAfterFormer = db
    .select({ at: sql`strftime('%Y-%m-%dT%H:%M:%fZ', max(${former.closedAt}), '+60 seconds')` })
    .from(former)
    .where(
      and(
        eq(former.organisationId, events.organisationId),
        eq(former.kind, events.action),
        eq(former.recipient, recipient),
        ne(former.closedAt, ''),
      ),
    );
  await batch(db, {
    noted: db
      .insert(notices)
      .select(
        db
          .select({
            id: sql`NULL`.as('id'),
            organisationId: organisations.id,
            kind: events.action,
            recipient: recipient.as('recipient'),
            firstEvent: sql`min(${events.id})`.as('first_event'),
            lastEvent: sql`max(${events.id})`.as('last_event'),
            events: sql`count(*)`.as('events'),
            begunAt: sql`${at}`.as('begun_at'),
            turnAt: sql`max(${at}, coalesce(${minuteAfterFormer}, ''))`.as('turn_at'),
            closedAt: sql`''`.as('closed_at'),
            queuedTo: sql`''`.as('queued_to'),
          })
          .from(events)
          .innerJoin(organisations, eq(organisations.id, events.organisationId))
          .where(
            and(
              gt(events.id, seen),
              lte(events.id, last),
              gte(events.at, isoBefore(at)),
              or(
                inArray(events.action, [...TOLD]),
                and(eq(events.action, SIGN_IN), sql`${events.detail} LIKE ${`%${NEW_BROWSER}`}`, isFirst),
              ),
              isNext,
            ),
          )
          .groupBy(organisations.id, events.action, recipient),
      )
      .onConflictDoUpdate({
        target: [notices.organisationId, notices.kind, notices.recipient, notices.closedAt],
        set: { lastEvent: sql`excluded.last_event`, events: sql`${notices.events} + excluded.events` },
      }),
    moved: db
      .update(mailProgress)
      .set({ eventId: last })
      .where(and(own, eq(mailProgress.eventId, seen))),
  });
  // Numbers only rise, so that fewer numbers are fewer events.
  return last - seen >= EVENTS;
}

/**
 * Queues the next mails of the notice whose turn it is at the instant `at`, and answers whether there was one. The first time closes
 * the notice. It then goes behind the others, so that an organisation of thousands of members keeps none of them waiting. The next
 * notice of a kind waits until all mails of the one before are queued.
 */
export async function queueMails(db: Db, at: string): Promise<boolean> {
  const former = alias(notices, 'former');
  const isFormerUnderWay = exists(
    db
      .select({ one: sql`1` })
      .from(former)
      .where(
        and(
          eq(former.organisationId, notices.organisationId),
          eq(former.kind, notices.kind),
          eq(former.recipient, notices.recipient),
          ne(former.closedAt, ''),
          isNotNull(former.turnAt),
        ),
      ),
  );
  const [notice] = await db
    .select()
    .from(notices)
    .where(
      and(
        isNotNull(notices.turnAt),
        lte(notices.turnAt, at),
        gte(notices.begunAt, isoBefore(at)),
        or(ne(notices.closedAt, ''), not(isFormerUnderWay)),
      ),
    )
    .orderBy(asc(notices.turnAt))
    .limit(1);
  if (notice === undefined) return false;
  const { id, organisationId, recipient, queuedTo } = notice;
  // What another run has queued meanwhile is not queued again.
  const isMine = and(eq(notices.id, id), eq(notices.queuedTo, queuedTo), isNotNull(notices.turnAt));
  const ofThisTurn = and(eq(mails.noticeId, id), gt(mails.email, queuedTo));
  const fromThisTurn = (what: SQL) => sql`(SELECT ${what} FROM ${mails} WHERE ${ofThisTurn})`;
  await batch(db, {
    queued: db.insert(mails).select(
      db
        .select({
          noticeId: sql`${id}`.as('notice_id'),
          email: members.email,
          organisationId: members.organisationId,
          dueAt: sql`${at}`.as('due_at'),
          tries: sql`0`.as('tries'),
        })
        .from(members)
        .where(
          and(
            eq(members.organisationId, organisationId),
            recipient === '' ? gt(members.email, queuedTo) : eq(members.email, recipient),
            exists(
              db
                .select({ one: sql`1` })
                .from(notices)
                .where(isMine),
            ),
          ),
        )
        .orderBy(asc(members.email))
        .limit(MEMBERS),
    ),
    moved: db
      .update(notices)
      .set({
        closedAt: sql`iif(${notices.closedAt} = '', ${at}, ${notices.closedAt})`,
        turnAt: sql`iif(${fromThisTurn(sql`count(*)`)} < ${MEMBERS}, NULL, ${at})`,
        queuedTo: sql`coalesce(${fromThisTurn(sql`max(email)`)}, ${queuedTo})`,
      })
      .where(isMine),
  });
  return true;
}

/** A mail names so many events. */
const NAMED = 20;

/**
 * The first events of the notice, oldest first, and what is true of their tokens at `now` (RFC 3339). None if they belong to an
 * organisation that had the id before.
 */
export function readTold(
  db: Db,
  { organisationId, kind, recipient, firstEvent, lastEvent }: Omit<Notice, 'id'>,
  now: string,
): Promise<ToldEvent[]> {
  const nameOfDeleted = db
    .select({ name: tombstones.name })
    .from(tombstones)
    .where(eq(tombstones.tokenId, events.tokenId))
    .limit(1);
  const isRetiring = exists(
    db
      .select({ one: sql`1` })
      .from(replacedSecrets)
      .where(
        and(
          eq(replacedSecrets.tokenId, events.tokenId),
          eq(replacedSecrets.preview, events.preview),
          isNull(replacedSecrets.retiredAt),
          gt(replacedSecrets.retiresAt, now),
        ),
      ),
  );
  return db
    .select({
      at: events.at,
      actor: events.actor,
      tokenId: events.tokenId,
      preview: events.preview,
      ip: events.ip,
      userAgent: events.userAgent,
      detail: events.detail,
      tokenName: sql<string | null>`coalesce(${tokens.name}, ${nameOfDeleted})`,
      tokenActive: tokens.active,
      value: sql<
        ToldEvent['value']
      >`iif(${events.preview} IS ${tokens.preview}, 'current', iif(${isRetiring}, 'retiring', 'ended'))`,
    })
    .from(events)
    .leftJoin(tokens, and(eq(tokens.id, events.tokenId), eq(tokens.organisationId, events.organisationId)))
    .where(
      and(
        ofNow(organisationId),
        eq(events.action, kind),
        gte(events.id, firstEvent),
        lte(events.id, lastEvent),
        kind === SIGN_IN
          ? and(eq(events.actor, recipient), sql`${events.detail} LIKE ${`%${NEW_BROWSER}`}`)
          : undefined,
      ),
    )
    .orderBy(asc(events.id))
    .limit(NAMED);
}
