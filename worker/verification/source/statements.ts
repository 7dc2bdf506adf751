// What verification asks of the database, in hand-written SQL: D1 and libSQL are asked the same statements. The look-up of a
// call is one indexed statement.
import type { Plan } from '../../organisation/organisation.ts';
import type { TokenHash } from '../../token/secret.ts';
import type { TokenRecord } from '../record.ts';

/** Records and newest head together, for each hash in a list in JSON: had they been read apart, a change between them would be missed. */
export const READ = `SELECT asked.value AS hash, seq, nonce, t.id AS tokenId, active, o.id AS organisationId, plan
FROM json_each(?1) AS asked
CROSS JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1)
LEFT JOIN tokens AS t ON t.hash = asked.value
LEFT JOIN organisations AS o ON o.id = t.organisation_id`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';

// What hubs alone ask.
export const NEWEST_CHANGES = 'SELECT seq, nonce, token_hash AS hash FROM changes ORDER BY seq DESC LIMIT ?1';
/** One statement for all rows; a token that was deleted meanwhile takes its counts with it. */
export const ADD_USAGE = `INSERT INTO token_usage (token_id, hour, accepted, refused)
SELECT tokens.id, json_extract(value, '$.hour'), json_extract(value, '$.accepted'), json_extract(value, '$.refused')
FROM json_each(?1) JOIN tokens ON tokens.id = json_extract(value, '$.tokenId') WHERE true
ON CONFLICT (token_id, hour) DO UPDATE SET accepted = accepted + excluded.accepted, refused = refused + excluded.refused`;
export const MOVE_LAST_USED = `UPDATE tokens SET last_used_at = used.at
FROM (SELECT json_extract(value, '$.tokenId') AS id, max(json_extract(value, '$.usedAt')) AS at FROM json_each(?1) GROUP BY 1) AS used
WHERE tokens.id = used.id AND used.at > coalesce(tokens.last_used_at, '')`;

export const OWNER = 'SELECT hubs FROM deployment WHERE id = 1';
export const CLAIM = 'INSERT INTO deployment (id, hubs) VALUES (1, ?1) ON CONFLICT DO NOTHING';

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
