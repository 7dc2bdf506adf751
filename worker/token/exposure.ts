// Records that a secret was exposed. The token itself is not changed.
import { and, eq, exists, gt, not, sql } from 'drizzle-orm';
import { eventColumns } from '../activity/store.ts';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { events, tokens } from '../tables.ts';
import { isHash } from './guards.ts';
import type { TokenHash } from './secret.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Writes an event: a secret was sent in a URL. At most one event for each token in 24 hours, whether the token is active or not.
 * One statement. It writes nothing for a hash that no token has.
 */
export function recordExposure(db: Db, hash: TokenHash, cause: Cause) {
  const yesterday = new Date(Date.parse(cause.at) - DAY_MS).toISOString();
  const lately = db
    .select({ one: sql`1` })
    .from(events)
    // A literal, because SQLite then uses the partial index (activity/store.ts).
    .where(
      and(eq(events.tokenId, tokens.id), sql`${events.action} = 'token.exposed'`, gt(events.at, yesterday)),
    );
  return db.insert(events).select(
    db
      .select(
        eventColumns('token.exposed', cause, {
          organisationId: sql`${tokens.organisationId}`,
          tokenId: sql`${tokens.id}`,
          preview: sql`coalesce((SELECT preview FROM replaced_secrets WHERE ${isHash(sql`replaced_secrets.hash`, hash)}), ${tokens.preview})`,
          detail: sql`${tokens.name}`,
        }),
      )
      .from(tokens)
      .where(
        and(
          // The hash may be that of a replaced secret, retiring or retired.
          sql`${tokens.id} = coalesce((SELECT token_id FROM replaced_secrets WHERE ${isHash(sql`replaced_secrets.hash`, hash)}), (SELECT own.id FROM tokens AS own WHERE ${isHash(sql`own.hash`, hash)}))`,
          not(exists(lately)),
        ),
      ),
  );
}
