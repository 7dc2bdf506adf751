// The statements of verification, in hand-written SQL. D1 and libSQL get the same ones. The look-up of a call is one statement, and
// uses indexes only.
import type { Plan } from '../../organisation/organisation.ts';
import type { TokenHash } from '../../token/secret.ts';
import { isFree, readLimits } from '../../token/limits.ts';
import type { Access } from '../../token/limits.ts';
import type { Holder, TokenRecord, UsageRow } from '../record.ts';

/**
 * The record of each hash in a JSON list, with the newest head. One statement, because a change between two would be missed. The
 * hash of a limited token is written in capitals (migrations/0009_limits.sql). A retired secret is found while it has a row, so that
 * calls with it are counted as refused.
 */
export const READ = `SELECT asked.value AS hash, seq, nonce, t.id AS tokenId, active AND s.retired_at IS NULL AS active,
o.id AS organisationId, plan, o.paused_at IS NOT NULL AS isPaused, retires_at AS retiresAt, expires_at AS expiresAt, access, paths, networks, origins
FROM json_each(?1) AS asked
CROSS JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1)
LEFT JOIN replaced_secrets AS s ON s.hash IN (asked.value, upper(asked.value))
LEFT JOIN tokens AS t ON t.id = coalesce(s.token_id, (SELECT id FROM tokens WHERE hash IN (asked.value, upper(asked.value))))
LEFT JOIN organisations AS o ON o.id = t.organisation_id`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';

// Only hubs use the statements from here on.
export const NEWEST_CHANGES = 'SELECT seq, nonce, token_hash AS hash FROM changes ORDER BY seq DESC LIMIT ?1';
/** One statement for all rows. Counts of a token that was deleted meanwhile are dropped. */
const ADD_USAGE = `INSERT INTO token_usage (token_id, hour, accepted, refused)
SELECT tokens.id, json_extract(value, '$.hour'), json_extract(value, '$.accepted'), json_extract(value, '$.refused')
FROM json_each(?1) JOIN tokens ON tokens.id = json_extract(value, '$.tokenId') WHERE true
ON CONFLICT (token_id, hour) DO UPDATE SET accepted = accepted + excluded.accepted, refused = refused + excluded.refused`;
/** Sets the last use of current and of replaced secrets. Rows of the release before name no secret. */
const MOVE_LAST_USED = [
  `UPDATE tokens SET last_used_at = used.at
FROM (SELECT json_extract(value, '$.tokenId') AS id, json_extract(value, '$.hash') AS hash, max(json_extract(value, '$.usedAt')) AS at FROM json_each(?1) GROUP BY 1, 2) AS used
WHERE tokens.id = used.id AND lower(tokens.hash) = coalesce(used.hash, lower(tokens.hash)) AND used.at > coalesce(tokens.last_used_at, '')`,
  `UPDATE replaced_secrets SET last_used_at = used.at
FROM (SELECT json_extract(value, '$.hash') AS hash, max(json_extract(value, '$.usedAt')) AS at FROM json_each(?1) GROUP BY 1) AS used
WHERE replaced_secrets.hash IN (used.hash, upper(used.hash)) AND used.at > coalesce(replaced_secrets.last_used_at, '')`,
  // Only a row that names the current secret shows that it is used.
  `UPDATE replaced_secrets SET successor_used_at = used.at
FROM (SELECT json_extract(value, '$.tokenId') AS id, json_extract(value, '$.hash') AS hash, max(json_extract(value, '$.usedAt')) AS at FROM json_each(?1) GROUP BY 1, 2) AS used, tokens
WHERE tokens.id = used.id AND lower(tokens.hash) = used.hash AND replaced_secrets.token_id = tokens.id
AND replaced_secrets.retired_at IS NULL AND replaced_secrets.successor_used_at IS NULL AND used.at IS NOT NULL`,
];

/** The refused addresses of tokens, the newest 20 of each: as many as ADDRESSES_KEPT. */
const KEEP_REFUSED_ADDRESSES = [
  `INSERT INTO refused_addresses (token_id, address, at)
SELECT tokens.id, address.value, json_extract(told.value, '$.addressesAt')
FROM json_each(?1) AS told JOIN json_each(told.value, '$.addresses') AS address JOIN tokens ON tokens.id = json_extract(told.value, '$.tokenId') WHERE true
ON CONFLICT (token_id, address) DO UPDATE SET at = max(at, excluded.at)`,
  `DELETE FROM refused_addresses
WHERE token_id IN (SELECT json_extract(value, '$.tokenId') FROM json_each(?1) WHERE json_extract(value, '$.addresses') IS NOT NULL)
AND (at, address) < (SELECT newer.at, newer.address FROM refused_addresses AS newer WHERE newer.token_id = refused_addresses.token_id ORDER BY newer.at DESC, newer.address DESC LIMIT 1 OFFSET 19)`,
];

/** The statements that write what hubs were told of calls. Each takes the rows as JSON. */
export function usageStatements(rows: readonly UsageRow[]): string[] {
  const addresses = rows.some((row) => row.addresses !== undefined) ? KEEP_REFUSED_ADDRESSES : [];
  return [ADD_USAGE, ...MOVE_LAST_USED, ...addresses];
}

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
  isPaused: number | null;
  retiresAt: string | null;
  expiresAt: string | null;
  access: Access | null;
  /** Lists in JSON. */
  paths: string | null;
  networks: string | null;
  origins: string | null;
};

/** The records in the rows of READ. */
export function recordsOf(rows: Row[]): Map<TokenHash, TokenRecord> {
  if (rows.length === 0) throw new Error('changes: no row at all');
  return new Map(rows.map((row) => [row.hash, recordOf(row)]));
}

function recordOf(row: Row): TokenRecord {
  const { seq, nonce, tokenId, active, organisationId, plan } = row;
  const asOf = { seq, nonce };
  if (tokenId === null || organisationId === null || plan === null) return { asOf, holder: null };
  const holder: Holder = { tokenId, organisationId, plan, active: active === 1 };
  // A secret that is refused needs nothing else.
  if (!holder.active) return { asOf, holder };
  if (row.isPaused !== 0) holder.isPaused = true;
  const ends = [row.retiresAt, row.expiresAt].filter((end) => end !== null).map((end) => Date.parse(end));
  if (ends.length > 0) holder.expiresAt = Math.min(...ends);
  const lists = [row.paths, row.networks, row.origins].map((list): unknown => JSON.parse(list ?? 'null'));
  const limits = readLimits([row.access, ...lists]);
  // Limits that cannot be read are never none.
  if (limits === null) return { asOf, holder: { ...holder, active: false } };
  if (!isFree(limits)) holder.limits = limits;
  return { asOf, holder };
}
