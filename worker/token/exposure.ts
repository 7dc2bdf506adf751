// What is put on record when a secret stood where everybody can read it. Changes nothing about the token itself.
import { and, eq, exists, gt, not, sql } from 'drizzle-orm';
import { eventColumns } from '../activity/store.ts';
import type { Cause } from '../activity/events.ts';
import type { Db } from '../database.ts';
import { events, tokens } from '../tables.ts';
import type { TokenHash } from './secret.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A secret stood in a URL: on record with its organisation, active or not, once a day. One statement; for a hash that no
 * token has it does nothing.
 */
export function recordExposure(db: Db, hash: TokenHash, cause: Cause) {
  const yesterday = new Date(Date.parse(cause.at) - DAY_MS).toISOString();
  const lately = db
    .select({ one: sql`1` })
    .from(events)
    // The action as the index has it (activity/store.ts).
    .where(
      and(eq(events.tokenId, tokens.id), sql`${events.action} = 'token.exposed'`, gt(events.at, yesterday)),
    );
  return db.insert(events).select(
    db
      .select(
        eventColumns('token.exposed', cause, {
          organisationId: sql`${tokens.organisationId}`,
          tokenId: sql`${tokens.id}`,
          preview: sql`coalesce((SELECT preview FROM replaced_secrets WHERE replaced_secrets.hash = ${hash}), ${tokens.preview})`,
          detail: sql`${tokens.name}`,
        }),
      )
      .from(tokens)
      .where(
        and(
          // A secret that was replaced is one of its token as well, retired or not.
          sql`${tokens.id} = coalesce((SELECT token_id FROM replaced_secrets WHERE replaced_secrets.hash = ${hash}), (SELECT own.id FROM tokens AS own WHERE own.hash = ${hash}))`,
          not(exists(lately)),
        ),
      ),
  );
}
