// The warnings before the end of a token: 30, 7 and 1 days before it. The triggers of migrations/ plan them whenever an end is set.
// A run of the upkeep gives those that are due. Each warning is given once: the change of its row and its event are one batch. The
// mail follows from the event.
import { and, asc, eq, exists, gt, gte, isNull, lt, lte, sql } from 'drizzle-orm';
import type { Action, Cause } from '../activity/events.ts';
import { eventColumns } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { hasOpenPlan } from '../organisation/store.ts';
import { events, expiryWarnings, organisations, tokens } from '../tables.ts';

/** Whether any warning is due at the instant `at`. */
export async function isAnyWarningDue(db: Db, at: string): Promise<boolean> {
  return (await selectDue(db, at, 1)).length > 0;
}

function selectDue(db: Db, at: string, most: number) {
  const { tokenId, expiresAt, days, dueAt, setAt } = expiryWarnings;
  return db
    .select({ tokenId, expiresAt, days, dueAt, setAt })
    .from(expiryWarnings)
    .where(and(isNull(expiryWarnings.givenBy), lte(dueAt, at)))
    .orderBy(asc(dueAt))
    .limit(most);
}

/**
 * Settles up to `most` warnings that are due at `cause.at`, so that no later run finds them, and answers how many it gave. Of
 * several that are due for one token, only the latest is given. None is given for an end that has passed, one that was set after
 * the warning was due, or an organisation that is not on Enterprise.
 */
export async function giveWarnings(db: Db, cause: Cause, most: number): Promise<number> {
  const { tokenId, expiresAt, days } = expiryWarnings;
  const key = sql`(${tokenId}, ${expiresAt}, ${days})`;
  const due = selectDue(db, cause.at, most).as('due');
  const isOvertaken = sql`EXISTS (SELECT 1 FROM expiry_warnings AS later WHERE later.token_id = ${due.tokenId} AND later.expires_at = ${due.expiresAt}
    AND later.days < ${due.days} AND later.due_at <= ${cause.at})`;
  const given = db
    .select({
      tokenId: due.tokenId,
      expiresAt: due.expiresAt,
      days: due.days,
      organisationId: tokens.organisationId,
      preview: tokens.preview,
    })
    .from(due)
    .innerJoin(tokens, eq(tokens.id, due.tokenId))
    .innerJoin(organisations, eq(organisations.id, tokens.organisationId))
    .where(and(hasOpenPlan, gt(due.expiresAt, cause.at), lt(due.setAt, due.dueAt), sql`NOT ${isOvertaken}`))
    .as('given');
  const { marked } = await batch(db, {
    // First: it makes place among the `most` rows, which the statements after it choose anew.
    dropped: db
      .delete(expiryWarnings)
      .where(
        and(
          sql`${key} IN (SELECT token_id, expires_at, days FROM ${due})`,
          sql`${key} NOT IN (SELECT token_id, expires_at, days FROM ${given})`,
        ),
      ),
    event: db.insert(events).select(
      db
        .select(
          eventColumns('token.expiring', cause, {
            organisationId: sql`${given.organisationId}`,
            tokenId: sql`${given.tokenId}`,
            preview: sql`${given.preview}`,
            detail: sql`CAST(${given.days} AS TEXT)`,
          }),
        )
        .from(given),
    ),
    marked: db
      .update(expiryWarnings)
      .set({ givenBy: cause.requestId })
      .where(sql`${key} IN (SELECT token_id, expires_at, days FROM ${given})`)
      .returning({ days: expiryWarnings.days }),
  });
  return marked.length;
}

/** A token whose end is near; `expiresAt` in RFC 3339, UTC, milliseconds. */
export type EndingToken = {
  id: string;
  name: string | null;
  preview: string;
  active: boolean;
  expiresAt: string;
};

/**
 * The tokens that the warnings among these events are about, by their end. None whose end was moved or has passed at the instant
 * `at`, or whose organisation left Enterprise.
 */
export async function listEndingTokens(
  db: Db,
  span: { organisationId: string; firstEvent: number; lastEvent: number },
  at: string,
): Promise<EndingToken[]> {
  const warned = db
    .select({ one: sql`1` })
    .from(expiryWarnings)
    .innerJoin(events, and(eq(events.requestId, expiryWarnings.givenBy), eq(events.tokenId, tokens.id)))
    .where(
      and(
        eq(expiryWarnings.tokenId, tokens.id),
        eq(expiryWarnings.expiresAt, tokens.expiresAt),
        eq(events.organisationId, tokens.organisationId),
        eq(events.action, 'token.expiring' satisfies Action),
        gte(events.id, span.firstEvent),
        lte(events.id, span.lastEvent),
      ),
    );
  const { id, name, preview, active, expiresAt } = tokens;
  const rows = await db
    .select({ id, name, preview, active, expiresAt })
    .from(tokens)
    .innerJoin(organisations, eq(organisations.id, tokens.organisationId))
    .where(and(eq(organisations.id, span.organisationId), hasOpenPlan, gt(expiresAt, at), exists(warned)))
    .orderBy(asc(expiresAt));
  return rows.flatMap((row) => (row.expiresAt === null ? [] : [{ ...row, expiresAt: row.expiresAt }]));
}
