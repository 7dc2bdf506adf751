// The statements of verification, in hand-written SQL. D1 and libSQL get the same ones. The look-up of a call is one statement, and
// uses indexes only.
import type { Plan } from '../../organisation/organisation.ts';
import type { TokenHash } from '../../token/secret.ts';
import { isFree, readLimits } from '../../token/limits.ts';
import type { Access } from '../../token/limits.ts';
import type { Holder, TokenRecord } from '../record.ts';

/**
 * The record of each hash in a JSON list, with the newest head. One statement, because a change between two would be missed. The
 * hash of a limited token is written in capitals (migrations/0009_limits.sql). A retired secret, and that of a deleted token, is found
 * while it has a row or a tombstone, so that calls with it are counted as refused.
 */
export const READ = `SELECT asked.value AS hash, seq, nonce, coalesce(t.id, ended.token_id) AS tokenId, active AND s.retired_at IS NULL AS active,
o.id AS organisationId, plan, o.paused_at IS NOT NULL AS isPaused, retires_at AS retiresAt, expires_at AS expiresAt, access, paths, networks, origins
FROM json_each(?1) AS asked
CROSS JOIN (SELECT seq, nonce FROM changes ORDER BY seq DESC LIMIT 1)
LEFT JOIN replaced_secrets AS s ON s.hash IN (asked.value, upper(asked.value))
LEFT JOIN tokens AS t ON t.id = coalesce(s.token_id, (SELECT id FROM tokens WHERE hash IN (asked.value, upper(asked.value))))
LEFT JOIN tombstones AS ended ON ended.hash = iif(t.id IS NULL, asked.value, NULL)
LEFT JOIN organisations AS o ON o.id = coalesce(t.organisation_id, ended.organisation_id)`;
export const CHANGES_FROM =
  'SELECT seq, nonce, token_hash AS hash FROM changes WHERE seq >= ?1 ORDER BY seq LIMIT ?2';

// Only hubs use the statements from here on.
export const NEWEST_CHANGES = 'SELECT seq, nonce, token_hash AS hash FROM changes ORDER BY seq DESC LIMIT ?1';
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
