// The statements for the audit log. An event is written in the same batch as the change that it records, so that there is no change
// without its event.
import { and, asc, desc, eq, exists, gt, gte, lt, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { events, members } from '../tables.ts';
import type { Action, Cause } from './events.ts';

export type Event = {
  id: string;
  at: string;
  actor: string;
  action: Action;
  tokenId: string | null;
  preview: string | null;
  requestId: string;
  ip: string | null;
  userAgent: string | null;
  detail: string | null;
};

type Subject = {
  organisationId: SQL | string | null;
  tokenId?: SQL | string | null;
  preview?: SQL | string | null;
  detail?: SQL | string | null;
};

function column(value: SQL | string | null | undefined, name: string) {
  return (typeof value === 'object' && value !== null ? value : sql`${value ?? null}`).as(name);
}

/** The columns of one event, in the order of the table, for an `INSERT … SELECT` under the condition of its change. */
export function eventColumns(
  action: Action,
  cause: Omit<Cause, 'actor'> & { actor: SQL | string },
  subject: Subject,
) {
  return {
    id: sql`NULL`.as('id'),
    at: column(cause.at, 'at'),
    organisationId: column(subject.organisationId, 'organisation_id'),
    actor: column(cause.actor, 'actor'),
    action: column(action, 'action'),
    tokenId: column(subject.tokenId, 'token_id'),
    preview: column(subject.preview, 'preview'),
    requestId: column(cause.requestId, 'request_id'),
    ip: column(cause.ip, 'ip'),
    userAgent: column(cause.userAgent, 'user_agent'),
    detail: column(subject.detail, 'detail'),
  };
}

/**
 * An event of a member is recorded in this many of their organisations at most, the first ones by id: a member of thousands
 * would write thousands of events with each sign-in.
 */
export const ORGANISATIONS_OF_A_RECORD = 100;

/** One event in each organisation that the member belongs to, where `guard` holds: an event of the member, not of a token. */
export function recordForMember(
  db: Db,
  action: Action,
  cause: Cause,
  email: string,
  detail: string | null,
  guard?: SQL,
  organisations = ORGANISATIONS_OF_A_RECORD,
) {
  return db.insert(events).select(
    db
      .select(eventColumns(action, cause, { organisationId: sql`${members.organisationId}`, detail }))
      .from(members)
      .where(and(eq(members.email, email), guard))
      .orderBy(asc(members.organisationId))
      .limit(organisations),
  );
}

/**
 * Records one event when a member asks for something that was never theirs. For an organisation (`tokenId` null) the event
 * belongs to the first of the member's own organisations, by id. The other organisation gets no event, so that a stranger
 * cannot write into its log. For a token the event belongs to the organisation that was asked. For a token that was
 * deleted there, no event is written: another tab may still show it.
 */
export function recordRefusal(
  db: Db,
  cause: Cause,
  place: { organisationId: string; email: string },
  tokenId: string | null,
) {
  if (tokenId === null)
    return recordForMember(db, 'access.refused', cause, place.email, place.organisationId, undefined, 1);
  return db.insert(events).select(
    db
      .select(
        eventColumns('access.refused', cause, {
          organisationId: place.organisationId,
          tokenId,
          detail: tokenId,
        }),
      )
      // The event is written after the answer. The organisation may be deleted by then, and another one may have its id.
      .from(members)
      .where(
        and(
          eq(members.email, place.email),
          eq(members.organisationId, place.organisationId),
          not(exists(selectDeletion(db, place.organisationId, tokenId))),
        ),
      ),
  );
}

/** When the organisation's token was deleted (RFC 3339). No row if it was not deleted. */
export function selectDeletion(db: Db, organisationId: string, tokenId: string) {
  return db
    .select({ at: events.at })
    .from(events)
    .where(
      and(
        eq(events.tokenId, tokenId),
        // A literal, because SQLite then uses the partial index, which has only deletions and exposures.
        sql`${events.action} = 'token.deleted'`,
        eq(events.organisationId, organisationId),
      ),
    );
}

/**
 * The events that the organisation's members may see. Another organisation may have had the id before. Events up to its last
 * deletion belong to that one.
 */
export function ofNow(organisationId: string): SQL | undefined {
  // "likely": with two bounds of the id, SQLite would read the whole span instead of using the index of the token or of the person.
  const isLater = sql`likely(${events.id} > ${lastDeletion(organisationId)})`;
  return and(eq(events.organisationId, organisationId), isLater);
}

function lastDeletion(organisationId: string): SQL {
  return sql`coalesce((SELECT max(former.id) FROM ${events} AS former WHERE former.organisation_id = ${organisationId} AND former.action = 'organisation.deleted'), 0)`;
}

export type Filter = { before?: number; action?: string; actor?: string; token?: string };

const PAGE = 50;
/** How many events of a token are searched for a person or an action, because no index has all three. */
const LOOKED_AT = 500;

/**
 * A page of an organisation's events, newest first. `next` is the cursor of the next page, or null. With a token and another filter
 * a page may have few events or none, and still a `next`.
 */
export async function listEvents(
  db: Db,
  organisationId: string,
  { before, action, actor, token }: Filter,
  page: number = PAGE,
): Promise<{ events: Event[]; next: string | null }> {
  const isLookedFor = token !== undefined && (action !== undefined || actor !== undefined);
  const most = isLookedFor ? Math.max(page, LOOKED_AT) : page;
  const rows = await db
    .select()
    .from(events)
    .where(
      and(
        ofNow(organisationId),
        token === undefined ? undefined : eq(events.tokenId, token),
        isLookedFor || action === undefined ? undefined : eq(events.action, action),
        isLookedFor || actor === undefined ? undefined : eq(events.actor, actor),
        before === undefined ? undefined : lt(events.id, before),
      ),
    )
    .orderBy(desc(events.id))
    .limit(most + 1);
  const lookedAt = rows.slice(0, most);
  const found = lookedAt.filter(
    (row) => (action === undefined || row.action === action) && (actor === undefined || row.actor === actor),
  );
  const shown = found.slice(0, page);
  const last = found.length > page ? shown.at(-1) : rows.length > most ? lookedAt.at(-1) : undefined;
  return { events: shown.map(eventJson), next: last === undefined ? null : String(last.id) };
}

/** At most this many people can be chosen from; more are found by their address in the URL. */
const PEOPLE = 500;

/** How many people are looked at. People with events only before the last deletion are skipped. */
const PEOPLE_LOOKED_AT = 2000;

/** The people in the organisation's events, by address, and whether there are, or may be, more than fit. */
export async function listPeople(
  db: Db,
  organisationId: string,
): Promise<{ people: string[]; more: boolean }> {
  const first = sql`SELECT min(${events.actor}) FROM ${events} WHERE ${eq(events.organisationId, organisationId)}`;
  const newest = sql`SELECT max(${events.id}) FROM ${events} WHERE ${eq(events.organisationId, organisationId)} AND ${events.actor} = people.actor`;
  // From one person to the next along the index: DISTINCT would read every event. The row after the last place is not shown.
  const rows = await db.all<{ place: number; actor: string }>(sql`
    WITH RECURSIVE people (place, actor) AS (
      SELECT 1, (${first})
      UNION ALL
      SELECT place + 1, (${first} AND ${events.actor} > people.actor) FROM people
      WHERE people.actor IS NOT NULL AND place <= ${PEOPLE_LOOKED_AT}
    )
    SELECT place, actor FROM people
    WHERE actor IS NOT NULL AND (place > ${PEOPLE_LOOKED_AT} OR (${newest}) > ${lastDeletion(organisationId)})
    LIMIT ${PEOPLE + 1}`);
  const people = rows.filter(({ place }) => place <= PEOPLE_LOOKED_AT).map(({ actor }) => actor);
  return { people: people.slice(0, PEOPLE), more: people.length > PEOPLE || people.length < rows.length };
}

function eventJson(row: typeof events.$inferSelect): Event {
  const { at, actor, tokenId, preview, requestId, ip, userAgent, detail } = row;
  // `eventColumns` writes no other. One of a later release is passed on as it is.
  const action = row.action as Action;
  return { id: String(row.id), at, actor, action, tokenId, preview, requestId, ip, userAgent, detail };
}

/** Events of all organisations, as the operator sees them: the same event, and where it stands. */
export type OperatorEvent = Event & { organisationId: string | null };
export type Span = { after?: number; since?: string; organisationId?: string };

/** How many of the oldest events at or after an instant are searched for the one that was written first. The order of times and of writes may differ. */
const OVERTAKING = 1000;

/**
 * A page of events, oldest first, in the order in which they were written: after the event `after`, or from the first one that
 * happened at or after `since` (RFC 3339). An empty page is the end.
 */
export async function listEventsOnwards(
  db: Db,
  { after, since, organisationId }: Span,
  page: number,
): Promise<OperatorEvent[]> {
  const early = db
    .select({ id: events.id })
    .from(events)
    .where(gte(events.at, since ?? ''))
    .orderBy(asc(events.at))
    .limit(OVERTAKING);
  // No event at all after `since`: NULL, and so no row.
  const first = since === undefined ? sql`1` : sql`(SELECT min(id) FROM ${early})`;
  const rows = await db
    .select()
    .from(events)
    .where(
      and(
        organisationId === undefined ? undefined : eq(events.organisationId, organisationId),
        after === undefined ? sql`${events.id} >= ${first}` : gt(events.id, after),
        since === undefined ? undefined : sql`+${events.at} >= ${since}`,
      ),
    )
    .orderBy(asc(events.id))
    .limit(page);
  return rows.map((row) => Object.assign(eventJson(row), { organisationId: row.organisationId }));
}
