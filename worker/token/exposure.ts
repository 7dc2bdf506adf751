// What happens to a token when others have seen its secret. Anybody who knows a secret can cause any of this. So each change harms only
// the holder of that secret, and a repeat writes nothing more.
import { and, eq, exists, gt, isNull, not, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { eventColumns } from '../activity/store.ts';
import type { Action, Cause, ExposedBy } from '../activity/events.ts';
import { batch } from '../database.ts';
import type { Db } from '../database.ts';
import { newestChange } from '../organisation/store.ts';
import type { ChangeHead } from '../organisation/store.ts';
import { events, replacedSecrets, tokens } from '../tables.ts';
import { isHash } from './guards.ts';
import { hashOfRow } from './secret.ts';
import type { TokenHash } from './secret.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The hash of a secret that was seen, and the address where, if it was told: http(s), and without any secret of ours. */
export type Exposure = { hash: TokenHash; where: string | null };

/**
 * `isOnRecord`: whether an event was written. `change`: what to publish, or null if no secret was still accepted.
 */
export type EndedExposure = { isOnRecord: boolean; change: { head: ChangeHead; hashes: TokenHash[] } | null };

/**
 * Ends what the secrets open, each hash once, in one batch. The token of a current secret is switched off and marked; one that is
 * marked already stays as it is. A retiring secret is retired, and its token goes on with the current one. A retired secret is on
 * record once in 24 hours for its token.
 */
export async function endExposed(
  db: Db,
  exposures: readonly Exposure[],
  by: ExposedBy,
  cause: Cause,
): Promise<EndedExposure> {
  // The outer loop of every statement is the list, so that each secret is looked for by the index of its hash.
  const seen = sql`json_each(${JSON.stringify(exposures)}) AS seen`;
  const hash = sql`json_extract(seen.value, '$.hash')`;
  const where = sql`json_extract(seen.value, '$.where')`;
  const told = sql`${by} || coalesce(': ' || ${where}, '')`;
  const isSeen = (column: SQL) => sql`${column} IN (${hash}, upper(${hash}))`;
  const current = sql`${seen} CROSS JOIN tokens`;
  const replaced = sql`${seen} CROSS JOIN replaced_secrets`;
  const isUnmarked = and(isSeen(sql`tokens.hash`), isNull(tokens.exposedAt));
  const isReplaced = isSeen(sql`replaced_secrets.hash`);
  const isWorking = sql`(replaced_secrets.retired_at IS NULL AND replaced_secrets.retires_at > ${cause.at})`;
  const hashesSeen = sql`SELECT ${hash} FROM ${seen} UNION ALL SELECT upper(${hash}) FROM ${seen}`;
  const recordCurrent = (action: Action, detail: SQL, guard?: SQL) =>
    db.insert(events).select(
      db
        .select(
          eventColumns(action, cause, {
            organisationId: sql`tokens.organisation_id`,
            tokenId: sql`tokens.id`,
            preview: sql`tokens.preview`,
            detail,
          }),
        )
        .from(current)
        .where(and(isUnmarked, guard)),
    );
  const ofReplaced = (action: Action, detail: SQL) =>
    eventColumns(action, cause, {
      organisationId: sql`replaced_secrets.organisation_id`,
      tokenId: sql`replaced_secrets.token_id`,
      preview: sql`replaced_secrets.preview`,
      detail,
    });
  const recordWorking = (action: Action, detail: SQL) =>
    db
      .insert(events)
      .select(db.select(ofReplaced(action, detail)).from(replaced).where(and(isReplaced, isWorking)));
  const {
    retiredEvent,
    retiring,
    paused,
    retired,
    head: [head],
  } = await batch(db, {
    retiredEvent: db
      .insert(events)
      .select(
        db
          .select(ofReplaced('token.exposed', told))
          .from(replaced)
          .where(
            and(
              isReplaced,
              not(isWorking),
              not(exists(exposedLately(db, sql`replaced_secrets.token_id`, cause))),
            ),
          )
          .groupBy(replacedSecrets.tokenId),
      )
      .returning({ id: events.id }),
    exposedEvent: recordCurrent('token.exposed', told),
    pausedEvent: recordCurrent('token.deactivated', sql`'exposed'`, eq(tokens.active, true)),
    workingEvent: recordWorking('token.exposed', told),
    endedEvent: recordWorking('token.retired', sql`'exposed'`),
    // Of the tokens that are switched off.
    retiring: db
      .select({ hash: sql<string>`replaced_secrets.hash` })
      .from(sql`${current} CROSS JOIN replaced_secrets`)
      .where(
        and(
          isUnmarked,
          eq(tokens.active, true),
          eq(replacedSecrets.tokenId, tokens.id),
          isNull(replacedSecrets.retiredAt),
        ),
      ),
    paused: db
      .update(tokens)
      .set({
        active: false,
        exposedAt: cause.at,
        exposedBy: by,
        exposedWhere: sql`(SELECT ${where} FROM ${seen} WHERE ${isSeen(sql`tokens.hash`)})`,
        exposedPaused: sql`${tokens.active}`,
      })
      .where(and(sql`${tokens.hash} IN (${hashesSeen})`, isNull(tokens.exposedAt)))
      .returning({ hash: tokens.hash, wasActive: tokens.exposedPaused }),
    retired: db
      .update(replacedSecrets)
      .set({ retiredAt: cause.at })
      .where(and(sql`${replacedSecrets.hash} IN (${hashesSeen})`, isWorking))
      .returning({ hash: replacedSecrets.hash }),
    head: db.select(newestChange).from(sql`(SELECT 1)`),
  });
  const ended = [...paused.filter(({ wasActive }) => wasActive), ...retiring, ...retired];
  return {
    isOnRecord: retiredEvent.length + paused.length + retired.length > 0,
    change: ended.length === 0 || head === undefined ? null : { head, hashes: ended.map(hashOfRow) },
  };
}

/**
 * Writes an event: a secret was sent in a URL. At most one event for each token in 24 hours, whether the token is active or not. The
 * token itself is not changed. One statement. Answers whether an event was written: none is for a hash that no token has.
 */
export async function recordExposure(db: Db, hash: TokenHash, cause: Cause): Promise<boolean> {
  const written = await db
    .insert(events)
    .select(
      db
        .select(
          eventColumns('token.exposed', cause, {
            organisationId: sql`${tokens.organisationId}`,
            tokenId: sql`${tokens.id}`,
            preview: sql`coalesce((SELECT preview FROM replaced_secrets WHERE ${isHash(sql`replaced_secrets.hash`, hash)}), ${tokens.preview})`,
            detail: 'url',
          }),
        )
        .from(tokens)
        .where(
          and(
            // The hash may be that of a replaced secret, retiring or retired.
            sql`${tokens.id} = coalesce((SELECT token_id FROM replaced_secrets WHERE ${isHash(sql`replaced_secrets.hash`, hash)}), (SELECT own.id FROM tokens AS own WHERE ${isHash(sql`own.hash`, hash)}))`,
            not(exists(exposedLately(db, sql`${tokens.id}`, cause))),
          ),
        ),
    )
    .returning({ id: events.id });
  return written.length > 0;
}

/** Selects a row if an exposure of the token was recorded in the last 24 hours. */
function exposedLately(db: Db, tokenId: SQL, cause: Cause) {
  const yesterday = new Date(Date.parse(cause.at) - DAY_MS).toISOString();
  return (
    db
      .select({ one: sql`1` })
      .from(events)
      // A literal, because SQLite then uses the partial index (activity/store.ts).
      .where(
        and(eq(events.tokenId, tokenId), sql`${events.action} = 'token.exposed'`, gt(events.at, yesterday)),
      )
  );
}
