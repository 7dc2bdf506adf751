// The statements for organisations and members, and whether a member may manage the tokens of an organisation.
import { and, asc, eq, exists, inArray, sql } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { changes, members, organisations, tokens } from '../tables.ts';
import type { TokenHash } from '../token/secret.ts';
import { OPEN_PLANS } from './organisation.ts';
import type { Organisation } from './organisation.ts';

/** Whether the plan of the organisation has Developer Zone: a condition for the WHERE of a statement. */
export const hasOpenPlan = inArray(organisations.plan, OPEN_PLANS);

export type AccessRefusal = 'organisation-not-found' | 'enterprise-plan-required';
/** A row of `changes`. The nonce tells it apart from a row with the same number in another database. */
export type ChangeHead = { seq: number; nonce: string };
/**
 * Publishes what a batch committed. `head` is the newest row of `changes` at its end, `hashes` are those in the rows that it wrote.
 * Resolves at the instant `effectiveAt` (RFC 3339), when the change is in effect everywhere.
 */
export type Publish = (change: { head: ChangeHead; hashes: TokenHash[] }) => Promise<{ effectiveAt: string }>;
/**
 * Every isolate and hub knows a change that is older than this: leases last a minute at most, and those of hubs of the deployment
 * before this one five minutes. An earlier repeat is published again, because its first answer may be lost.
 */
const SETTLED_MS = 10 * 60 * 1000;

/** At `now`, changes from before the answer need no publish any more (both RFC 3339). */
export function settledUntil(now: string): string {
  return new Date(Date.parse(now) - SETTLED_MS).toISOString();
}

/**
 * Publishes a change, of a repeat as well: an earlier call may have made the change and lost its answer, or may still wait. A change
 * that every isolate knows is left out. `changedAt`: when it was made (RFC 3339), or null if that is a day or more ago.
 */
export async function publishUnlessSettled(
  publish: Publish,
  change: Parameters<Publish>[0],
  changedAt: string | null,
  now: string,
): Promise<{ effectiveAt: string }> {
  const isSettled = changedAt === null || changedAt < settledUntil(now);
  return isSettled ? { effectiveAt: new Date().toISOString() } : publish(change);
}

/** `head`: not before any change that was committed when access was judged. */
export type Access = { ok: true; head: ChangeHead } | { ok: false; reason: AccessRefusal };

/** The newest change, as columns of a statement that selects something else. */
export const newestChange = {
  seq: sql<number>`(SELECT max(${changes.seq}) FROM ${changes})`,
  nonce: sql<string>`(SELECT ${changes.nonce} FROM ${changes} WHERE ${changes.seq} = (SELECT max(seq) FROM ${changes}))`,
};

/** All organisations that the member belongs to, by name. The list is complete, because members choose from it. */
export function listOrganisationsOf(db: Db, email: string): Promise<Organisation[]> {
  return db
    .select({
      id: organisations.id,
      name: organisations.name,
      plan: organisations.plan,
      pausedAt: organisations.pausedAt,
    })
    .from(members)
    .innerJoin(organisations, eq(organisations.id, members.organisationId))
    .where(eq(members.email, email))
    .orderBy(asc(organisations.name), asc(organisations.id));
}

/**
 * Whether the tokens of the organisation may be managed now, by a member or by the operator (`email` null), and the head of the
 * changes. A member may on the Enterprise plan, the operator on every plan. No row for anybody else.
 */
export function selectStanding(db: Db, organisationId: string, email: string | null) {
  const isOpen = sql<number>`${hasOpenPlan}`;
  return db
    .select({ isOpen: email === null ? sql<number>`1` : isOpen, head: newestChange })
    .from(organisations)
    .where(
      and(
        eq(organisations.id, organisationId),
        email === null
          ? undefined
          : exists(
              db
                .select({ one: sql`1` })
                .from(members)
                .where(and(eq(members.email, email), eq(members.organisationId, organisationId))),
            ),
      ),
    );
}

/** The answer is the same for an organisation that does not exist and for one that the member does not belong to. */
export function judgeStanding(standing: { isOpen: number; head: ChangeHead } | undefined): Access {
  if (standing === undefined) return { ok: false, reason: 'organisation-not-found' };
  if (standing.isOpen !== 1) return { ok: false, reason: 'enterprise-plan-required' };
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

/** How many tokens the organisation has, and how many of them are active. */
export function countTokens(db: Db, organisationId: string) {
  return db
    .select({ total: sql<number>`count(*)`, active: sql<number>`count(*) FILTER (WHERE ${tokens.active})` })
    .from(tokens)
    .where(eq(tokens.organisationId, organisationId));
}
