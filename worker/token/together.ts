// Switches off all active tokens of an organisation together, and switches exactly those on again. As in store.ts, each
// change is one batch.
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { judgeStanding, selectStanding } from '../organisation/store.ts';
import type { ChangeHead, AccessRefusal } from '../organisation/store.ts';
import { tokens } from '../tables.ts';
import { mayManage } from './guards.ts';
import type { Place } from './guards.ts';
import { hashOfRow } from './secret.ts';
import type { TokenHash } from './secret.ts';
import { changedAt, recordForToken, selectRetiring, tokenColumns } from './store.ts';
import type { Token } from './store.ts';

/** The tokens that were switched off together and may be switched on again: an exposed one may not. */
const resumable = and(eq(tokens.active, false), isNotNull(tokens.pausedTogetherAt), isNull(tokens.exposedAt));

export type SwitchedTogether =
  /** `switched`: those that this call has switched, newest first; `hashes`: those of their secrets that are not retired. */
  | {
      ok: true;
      switched: Token[];
      hashes: TokenHash[];
      head: ChangeHead;
      /** When the verification of any token of the organisation changed last, as in store.ts. */
      changedAt: string | null;
    }
  | { ok: false; reason: AccessRefusal };

/**
 * Switches off every active token of the organisation and marks it (`active` false), or switches on the marked ones. Tokens that
 * are off already are not marked, and keep the mark that they have. An event of each token says `all`.
 */
export async function switchTogether(
  db: Db,
  place: Place,
  active: boolean,
  cause: Cause,
): Promise<SwitchedTogether> {
  const ofOrganisation = eq(tokens.organisationId, place.organisationId);
  const chosen = and(ofOrganisation, active ? resumable : eq(tokens.active, true));
  const mark = active ? null : { at: cause.at, by: place.email };
  const {
    switched,
    standing: [standing],
    listed,
    retiring,
  } = await batch(db, {
    event: recordForToken(db, active ? 'token.activated' : 'token.deactivated', cause, place, 'all', chosen),
    switched: db
      .update(tokens)
      .set({ active, pausedTogetherAt: mark?.at ?? null, pausedTogetherBy: mark?.by ?? null })
      .where(and(chosen, mayManage(db, place)))
      .returning({ id: tokens.id }),
    standing: selectStanding(db, place.organisationId, place.email),
    listed: db
      .select({ token: tokenColumns(cause.at), hash: tokens.hash, changedAt })
      .from(tokens)
      .where(ofOrganisation)
      .orderBy(desc(tokens.createdAt), tokens.id),
    retiring: selectRetiring(db, ofOrganisation),
  });
  const access = judgeStanding(standing);
  if (!access.ok) return access;
  const ids = new Set(switched.map(({ id }) => id));
  const rows = listed.filter(({ token }) => ids.has(token.id));
  const secrets = [...rows, ...retiring.filter(({ tokenId }) => ids.has(tokenId))];
  const changes = listed.map((row) => row.changedAt).filter((at) => at !== null);
  return {
    ok: true,
    switched: rows.map(({ token }) => token),
    hashes: secrets.map(hashOfRow),
    head: access.head,
    changedAt: changes.toSorted().at(-1) ?? null,
  };
}

/** How many tokens of the organisation would be switched on again. */
export async function countResumable(db: Db, organisationId: string): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)` })
    .from(tokens)
    .where(and(eq(tokens.organisationId, organisationId), resumable));
  return row?.count ?? 0;
}
