// The pause of an organisation by the operator. It is a state of its own: neither the plan nor any token is changed. The triggers of
// migrations/0014_pausing.sql write the rows that verification reads.
import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Cause } from '../activity/events.ts';
import { eventColumns } from '../activity/store.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { changes, events, organisations, tokens } from '../tables.ts';
import { hashOfRow } from '../token/secret.ts';
import type { TokenHash } from '../token/secret.ts';
import { registeredColumns, selectHashes } from './register.ts';
import type { Registered } from './register.ts';
import { newestChange } from './store.ts';
import type { ChangeHead } from './store.ts';

export type Paused =
  /**
   * `hashes`: the secrets of its tokens, twenty at most. `changedAt`: when the verification of one of them changed last (RFC 3339,
   * the database's clock), or null if that is a day or more ago.
   */
  | { ok: true; organisation: Registered; hashes: TokenHash[]; head: ChangeHead; changedAt: string | null }
  | { ok: false; reason: 'organisation-not-found' };

/** Pauses the organisation, or ends its pause. Changes and records nothing if it stands so already: it is paused since the first pause. */
export async function setPause(db: Db, id: string, isPaused: boolean, cause: Cause): Promise<Paused> {
  const here = eq(organisations.id, id);
  const differs = and(here, isPaused ? isNull(organisations.pausedAt) : isNotNull(organisations.pausedAt));
  const ofTokens = db
    .select({ hash: sql`lower(${tokens.hash})` })
    .from(tokens)
    .where(eq(tokens.organisationId, id));
  const {
    after: [after],
    changed: [changed],
    hashes,
  } = await batch(db, {
    event: db.insert(events).select(
      db
        .select(
          eventColumns(isPaused ? 'organisation.paused' : 'organisation.resumed', cause, {
            organisationId: id,
          }),
        )
        .from(organisations)
        .where(differs),
    ),
    paused: db
      .update(organisations)
      .set({ pausedAt: isPaused ? cause.at : null })
      .where(differs),
    after: db
      .select({ ...registeredColumns, head: newestChange })
      .from(organisations)
      .where(here),
    changed: db
      .select({ at: sql<string | null>`max(${changes.at})` })
      .from(changes)
      .where(inArray(changes.tokenHash, ofTokens)),
    hashes: selectHashes(db, id),
  });
  if (after === undefined) return { ok: false, reason: 'organisation-not-found' };
  const { head, ...organisation } = after;
  return { ok: true, organisation, hashes: hashes.map(hashOfRow), head, changedAt: changed?.at ?? null };
}
