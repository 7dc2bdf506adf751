// Organisations and members at rest, and the one question that every dashboard request asks: may this member, here?
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { changes, members, organisations } from '../tables.ts';
import type { TokenHash } from '../token/secret.ts';
import { opensDeveloperZone } from './organisation.ts';
import type { Organisation, Plan } from './organisation.ts';

export type Refusal = 'organisation-not-found' | 'enterprise-plan-required';
/** A row of `changes`; the nonce tells it from a row of the same number in another database. */
export type ChangeHead = { seq: number; nonce: string };
/**
 * Makes what a batch committed true everywhere: `head` is the newest row of `changes` at its end, `hashes` are what it wrote
 * there. Resolves at the instant that it names (RFC 3339).
 */
export type Publish = (change: { head: ChangeHead; hashes: TokenHash[] }) => Promise<{ effectiveAt: string }>;
/**
 * A change from before this has been seen by every isolate and hub: leases last a minute at most, and a hub of the deployment
 * before this one five minutes. A repeat that comes earlier may be one whose first answer was lost, and is published again.
 */
const SETTLED_MS = 10 * 60 * 1000;

/** Up to when changes are settled at `now` (both RFC 3339): there is nothing left to publish of them. */
export function settledUntil(now: string): string {
  return new Date(Date.parse(now) - SETTLED_MS).toISOString();
}
/** `head`: at or after every change that had been committed when access was judged. */
export type Access = { ok: true; head: ChangeHead } | { ok: false; reason: Refusal };

/** The newest change, as columns of a statement that selects something else. */
export const newestChange = {
  seq: sql<number>`(SELECT max(${changes.seq}) FROM ${changes})`,
  nonce: sql<string>`(SELECT ${changes.nonce} FROM ${changes} WHERE ${changes.seq} = (SELECT max(seq) FROM ${changes}))`,
};

/** All organisations that the member belongs to, by name: who is left out of the list cannot be chosen. */
export function listOrganisationsOf(db: Db, email: string): Promise<Organisation[]> {
  return db
    .select({ id: organisations.id, name: organisations.name, plan: organisations.plan })
    .from(members)
    .innerJoin(organisations, eq(organisations.id, members.organisationId))
    .where(eq(members.email, email))
    .orderBy(asc(organisations.name), asc(organisations.id));
}

/** The organisation's plan as this member may see it, and the head of the changes; no row for a stranger. */
export function selectStanding(db: Db, organisationId: string, email: string) {
  return db
    .select({ plan: organisations.plan, head: newestChange })
    .from(members)
    .innerJoin(organisations, eq(organisations.id, members.organisationId))
    .where(and(eq(members.email, email), eq(members.organisationId, organisationId)));
}

/** A stranger and a guesser get the same answer; a member without the plan gets another. */
export function judgeStanding(standing: { plan: Plan; head: ChangeHead } | undefined): Access {
  if (standing === undefined) return { ok: false, reason: 'organisation-not-found' };
  if (!opensDeveloperZone(standing.plan)) return { ok: false, reason: 'enterprise-plan-required' };
  return { ok: true, head: standing.head };
}

export async function readAccess(db: Db, organisationId: string, email: string): Promise<Access> {
  const [standing] = await selectStanding(db, organisationId, email);
  return judgeStanding(standing);
}

export function findOrganisation(db: Db, id: string) {
  return db
    .select({ id: organisations.id, name: organisations.name, plan: organisations.plan })
    .from(organisations)
    .where(eq(organisations.id, id));
}
