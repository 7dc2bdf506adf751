// The truth in D1, in hand-written SQL: the verification look-up is one indexed statement. Another database joins here
// by giving the same four functions (Truth in record.ts).
import type { Plan } from '../organisation/organisation.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Change, TokenRecord, Truth, UsageRow } from './record.ts';

/** Record and newest head together: had they been read apart, a change between them would be missed. */
export const READ = `SELECT head.seq, head.nonce, tokens.id AS tokenId, tokens.active, organisations.id AS organisationId, organisations.plan
FROM (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1) AS head
LEFT JOIN tokens ON tokens.hash = ?1
LEFT JOIN organisations ON organisations.id = tokens.organisation_id`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';
export const NEWEST_CHANGES = 'SELECT seq, nonce, token_hash AS hash FROM changes ORDER BY seq DESC LIMIT ?1';
/** One statement for all rows; a token that was deleted meanwhile takes its counts with it. */
export const ADD_USAGE = `INSERT INTO token_usage (token_id, hour, accepted, refused)
SELECT tokens.id, json_extract(value, '$.hour'), json_extract(value, '$.accepted'), json_extract(value, '$.refused')
FROM json_each(?1) JOIN tokens ON tokens.id = json_extract(value, '$.tokenId') WHERE true
ON CONFLICT (token_id, hour) DO UPDATE SET accepted = accepted + excluded.accepted, refused = refused + excluded.refused`;
export const MOVE_LAST_USED = `UPDATE tokens SET last_used_at = used.at
FROM (SELECT json_extract(value, '$.tokenId') AS id, max(json_extract(value, '$.usedAt')) AS at FROM json_each(?1) GROUP BY 1) AS used
WHERE tokens.id = used.id AND used.at > coalesce(tokens.last_used_at, '')`;

export type Row = {
  seq: number;
  nonce: string;
  tokenId: string | null;
  active: number | null;
  organisationId: string | null;
  plan: Plan | null;
};

/** The record in a row of READ. */
export function recordOf(row: Row): TokenRecord {
  const { seq, nonce, tokenId, active, organisationId, plan } = row;
  const known = tokenId !== null && organisationId !== null && plan !== null;
  return {
    asOf: { seq, nonce },
    holder: known ? { tokenId, organisationId, plan, active: active === 1 } : null,
  };
}

export function d1Truth(db: D1Database): Truth {
  return {
    async read(hash: TokenHash) {
      const row = await db.prepare(READ).bind(hash).first<Row>();
      if (row === null) throw new Error('changes: no row at all');
      return recordOf(row);
    },
    async changesFrom(seq, limit) {
      return (await db.prepare(CHANGES_FROM).bind(seq, limit).all<Change>()).results;
    },
    async newestChanges(limit) {
      return (await db.prepare(NEWEST_CHANGES).bind(limit).all<Change>()).results.toReversed();
    },
    async addUsage(rows: UsageRow[]) {
      const json = JSON.stringify(rows);
      await db.batch([db.prepare(ADD_USAGE).bind(json), db.prepare(MOVE_LAST_USED).bind(json)]);
    },
  };
}
