// What a call may have to ask D1, in hand-written SQL: the verification look-up is one indexed statement. What hubs alone
// ask stands in hub-source.ts. Another database joins by giving the same functions (Source in record.ts).
import type { Plan } from '../organisation/organisation.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Change, Lookups, TokenRecord } from './record.ts';

/** Records and newest head together, for each hash in a list in JSON: had they been read apart, a change between them would be missed. */
export const READ = `SELECT asked.value AS hash, seq, nonce, t.id AS tokenId, active, o.id AS organisationId, plan
FROM json_each(?1) AS asked
CROSS JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1)
LEFT JOIN tokens AS t ON t.hash = asked.value
LEFT JOIN organisations AS o ON o.id = t.organisation_id`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';
export type Row = {
  hash: TokenHash;
  seq: number;
  nonce: string;
  tokenId: string | null;
  active: number | null;
  organisationId: string | null;
  plan: Plan | null;
};

/** The records in the rows of READ. */
export function recordsOf(rows: Row[]): Map<TokenHash, TokenRecord> {
  if (rows.length === 0) throw new Error('changes: no row at all');
  return new Map(rows.map((row) => [row.hash, recordOf(row)]));
}

function recordOf({ seq, nonce, tokenId, active, organisationId, plan }: Row): TokenRecord {
  const known = tokenId !== null && organisationId !== null && plan !== null;
  return {
    asOf: { seq, nonce },
    holder: known ? { tokenId, organisationId, plan, active: active === 1 } : null,
  };
}

export function d1Lookups(db: D1Database): Lookups {
  return {
    async read(hashes) {
      return recordsOf((await db.prepare(READ).bind(JSON.stringify(hashes)).all<Row>()).results);
    },
    async changesFrom(seq, limit) {
      return (await db.prepare(CHANGES_FROM).bind(seq, limit).all<Change>()).results;
    },
  };
}
