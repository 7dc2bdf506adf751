// What a call may have to ask D1, in hand-written SQL: the verification look-up is one indexed statement. What hubs alone
// ask stands in hub-truth.ts. Another database joins by giving the same functions (Truth in record.ts).
import type { Plan } from '../organisation/organisation.ts';
import type { TokenHash } from '../token/secret.ts';
import type { Change, Lookups, TokenRecord } from './record.ts';

/** Record and newest head together: had they been read apart, a change between them would be missed. */
export const READ = `SELECT head.seq, head.nonce, tokens.id AS tokenId, tokens.active, organisations.id AS organisationId, organisations.plan
FROM (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1) AS head
LEFT JOIN tokens ON tokens.hash = ?1
LEFT JOIN organisations ON organisations.id = tokens.organisation_id`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';
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

export function d1Lookups(db: D1Database): Lookups {
  return {
    async read(hash: TokenHash) {
      const row = await db.prepare(READ).bind(hash).first<Row>();
      if (row === null) throw new Error('changes: no row at all');
      return recordOf(row);
    },
    async changesFrom(seq, limit) {
      return (await db.prepare(CHANGES_FROM).bind(seq, limit).all<Change>()).results;
    },
  };
}
