// How many calls the tokens had, for members. Hubs do the counting (worker/verification/hub/usage.ts).
import { and, eq, gt, inArray } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { tokens, tokenUsage } from '../tables.ts';
import { mayManage } from './guards.ts';
import type { Place } from './guards.ts';

/** Accepted and refused calls per token and hour of the organisation, from `since` (hours since 1970). */
export function listUsage(db: Db, place: Place, since: number) {
  return db
    .select({
      tokenId: tokenUsage.tokenId,
      hour: tokenUsage.hour,
      accepted: tokenUsage.accepted,
      refused: tokenUsage.refused,
    })
    .from(tokenUsage)
    .where(
      and(
        inArray(
          tokenUsage.tokenId,
          db.select({ id: tokens.id }).from(tokens).where(eq(tokens.organisationId, place.organisationId)),
        ),
        gt(tokenUsage.hour, since),
        mayManage(db, place),
      ),
    );
}
