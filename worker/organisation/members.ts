// The members of organisations, as the platform sets them. A member who is removed from their last organisation is signed out
// everywhere in the same batch.
import { and, asc, eq, exists, gt, not, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { eventColumns } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { withReserve } from '../reserve.ts';
import { events, members, organisations, sessions } from '../tables.ts';
import { LIST_PAGE } from './organisation.ts';
import { findOrganisation } from './store.ts';

export type Member = { email: string; createdAt: string };
type Missing = { ok: false; reason: 'organisation-not-found' };

const columns = { email: members.email, createdAt: members.createdAt };

/** Adds a member. Changes nothing if the organisation already has them. `email` in its one form (email.ts). */
export async function addMember(
  db: Db,
  organisationId: string,
  email: string,
  cause: Cause,
): Promise<{ ok: true; added: boolean; member: Member } | Missing> {
  const here = and(eq(members.email, email), eq(members.organisationId, organisationId));
  const outside = and(
    eq(organisations.id, organisationId),
    not(
      exists(
        db
          .select({ one: sql`1` })
          .from(members)
          .where(here),
      ),
    ),
  );
  const {
    added,
    found: [member],
  } = await batch(db, {
    event: db.insert(events).select(
      db
        .select(eventColumns('member.added', cause, { organisationId, detail: email }))
        .from(organisations)
        .where(outside),
    ),
    added: db
      .insert(members)
      .select(
        db
          .select({
            email: sql`${email}`.as('email'),
            organisationId: sql`${organisations.id}`.as('organisation_id'),
            createdAt: sql`${cause.at}`.as('created_at'),
          })
          .from(organisations)
          .where(outside),
      )
      .returning({ email: members.email }),
    found: db.select(columns).from(members).where(here),
  });
  if (member === undefined) return { ok: false, reason: 'organisation-not-found' };
  return { ok: true, added: added.length > 0, member };
}

/** Removes a member. Changes and records nothing if the organisation does not have them. */
export async function removeMember(
  db: Db,
  organisationId: string,
  email: string,
  cause: Cause,
): Promise<{ ok: true } | Missing> {
  const here = and(eq(members.email, email), eq(members.organisationId, organisationId));
  // A full database must not prevent the end of a membership.
  const { organisation } = await batch(withReserve(db), {
    event: db.insert(events).select(
      db
        .select(eventColumns('member.removed', cause, { organisationId, detail: email }))
        .from(members)
        .where(here),
    ),
    removed: db.delete(members).where(here),
    sessions: db.delete(sessions).where(
      and(
        eq(sessions.email, email),
        not(
          exists(
            db
              .select({ one: sql`1` })
              .from(members)
              .where(eq(members.email, email)),
          ),
        ),
      ),
    ),
    organisation: findOrganisation(db, organisationId),
  });
  return organisation.length === 0 ? { ok: false, reason: 'organisation-not-found' } : { ok: true };
}

/** A page of the organisation's members by address. `next` is the cursor of the next page, or null. */
export async function listMembers(
  db: Db,
  organisationId: string,
  after = '',
): Promise<{ ok: true; members: Member[]; next: string | null } | Missing> {
  const { organisation, listed } = await batch(db, {
    organisation: findOrganisation(db, organisationId),
    listed: db
      .select(columns)
      .from(members)
      .where(and(eq(members.organisationId, organisationId), gt(members.email, after)))
      .orderBy(asc(members.email))
      .limit(LIST_PAGE + 1),
  });
  if (organisation.length === 0) return { ok: false, reason: 'organisation-not-found' };
  const shown = listed.slice(0, LIST_PAGE);
  return { ok: true, members: shown, next: listed.length > LIST_PAGE ? (shown.at(-1)?.email ?? null) : null };
}
