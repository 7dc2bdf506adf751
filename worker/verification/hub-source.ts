// All that is read from the database, with what hubs alone read. It is a file of its own, so that the path of a call does not load it.
import { d1Lookups } from './lookup.ts';
import type { Change, Source, UsageRow } from './record.ts';
import { libsqlOf } from './source.ts';
import type { SourceEnv } from './source.ts';

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

export type HubSource = Source & {
  /** The id of the deployment that the database belongs to, or null where none is written down. */
  owner(): Promise<string | null>;
  /** Writes the id of a deployment down, unless one stands there. */
  claim(deployment: string): Promise<void>;
};

export function openSource(env: SourceEnv): HubSource {
  const libsql = libsqlOf(env);
  if (libsql === null) return d1Source(env.DB);
  return {
    read: async (hashes) => (await libsql()).read(hashes),
    changesFrom: async (seq, limit) => (await libsql()).changesFrom(seq, limit),
    newestChanges: async (limit) => (await libsql()).newestChanges(limit),
    addUsage: async (rows) => (await libsql()).addUsage(rows),
    owner: async () => (await libsql()).owner(),
    claim: async (deployment) => (await libsql()).claim(deployment),
  };
}

function d1Source(db: D1Database): HubSource {
  return {
    ...d1Lookups(db),
    async newestChanges(limit) {
      return (await db.prepare(NEWEST_CHANGES).bind(limit).all<Change>()).results.toReversed();
    },
    async addUsage(rows: UsageRow[]) {
      const json = JSON.stringify(rows);
      await db.batch([db.prepare(ADD_USAGE).bind(json), db.prepare(MOVE_LAST_USED).bind(json)]);
    },
    owner: () => db.prepare(OWNER).first<string>('hubs'),
    async claim(deployment) {
      await db.prepare(CLAIM).bind(deployment).run();
    },
  };
}
