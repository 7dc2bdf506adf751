// The statements that write what hubs were told of calls. D1 and libSQL get the same ones. Loaded at the first write, because an
// isolate that only verifies never writes.
import type { UsageRow } from '../record.ts';

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

/** The isolates that counted did not know whether a secret ended, or its token. */
const ADD_REASONS = `INSERT INTO refusal_reasons (token_id, hour, reason, calls)
SELECT tokens.id, json_extract(told.value, '$.hour'),
iif(reason.key IN ('inactive', 'expired') AND (ended.hash IS NOT NULL OR (reason.key = 'expired' AND s.retires_at <= coalesce(tokens.expires_at, s.retires_at))), 'retired', reason.key),
reason.value
FROM json_each(?1) AS told JOIN json_each(told.value, '$.reasons') AS reason
JOIN tokens ON tokens.id = json_extract(told.value, '$.tokenId')
LEFT JOIN replaced_secrets AS s ON s.hash IN (json_extract(told.value, '$.hash'), upper(json_extract(told.value, '$.hash')))
LEFT JOIN tombstones AS ended ON ended.hash = json_extract(told.value, '$.hash') WHERE true
ON CONFLICT (token_id, hour, reason) DO UPDATE SET calls = calls + excluded.calls`;

/** Its parameter has a list for each caller (`callersOf`). Nothing is kept of a token that has neither a row nor a tombstone. */
const ADD_CALLERS = `INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9 FROM json_each(?1) AS told
WHERE EXISTS (SELECT 1 FROM tokens WHERE id = told.value->>0) OR EXISTS (SELECT 1 FROM tombstones WHERE hash = told.value->>2)
ON CONFLICT (token_id, day, hash, network, country, agent) DO UPDATE SET accepted = accepted + excluded.accepted, refused = refused + excluded.refused,
network_name = excluded.network_name, last_at = max(last_at, excluded.last_at)`;
/** Calls that were told after the end may have been made before it, but an accepted one was. */
const CALL_TOMBSTONES = `UPDATE tombstones SET called_at = told.at
FROM (SELECT value->>2 AS hash, max(value->>9) AS at FROM json_each(?1) WHERE value->>8 > 0 GROUP BY 1) AS told
WHERE tombstones.hash = told.hash AND told.at > coalesce(tombstones.called_at, tombstones.ended_at)`;

/**
 * Of each secret and day that was told of, all callers but the 20 with the most calls are added to the row of the others: as many as
 * CALLERS_KEPT, and -1 is OTHERS (token/callers.ts). After the day on which a secret ended three are kept, as many as are shown of it
 * (CALLERS_OF_ENDED): an organisation may end thousands of secrets. Most secrets have a few callers, whose rows are only counted.
 * The order of the callers stands in both statements, because SQL is nowhere built from strings.
 */
const KEEP_CALLERS = [
  `INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
SELECT token_id, day, hash, -1, '', '', '', sum(accepted), sum(refused), max(last_at)
FROM (SELECT callers.*, most, row_number() OVER (PARTITION BY callers.token_id, callers.day, callers.hash ORDER BY accepted + refused DESC, last_at DESC, network, country, agent) AS place
FROM (SELECT told.value->>0 AS token_id, told.value->>1 AS day, told.value->>2 AS hash,
iif(EXISTS (SELECT 1 FROM tombstones WHERE hash = told.value->>2 AND strftime('%s', ended_at) / 86400 < told.value->>1), 3, 20) AS most FROM json_each(?1) AS told
WHERE (SELECT count(*) FROM callers WHERE token_id = told.value->>0 AND day = told.value->>1 AND hash = told.value->>2 AND network >= 0) > most) AS large
CROSS JOIN callers ON callers.token_id = large.token_id AND callers.day = large.day AND callers.hash = large.hash AND callers.network >= 0)
WHERE place > most GROUP BY token_id, day, hash
ON CONFLICT (token_id, day, hash, network, country, agent) DO UPDATE SET accepted = accepted + excluded.accepted, refused = refused + excluded.refused,
last_at = max(last_at, excluded.last_at)`,
  `DELETE FROM callers WHERE (token_id, day, hash, network, country, agent) IN (SELECT token_id, day, hash, network, country, agent
FROM (SELECT callers.*, most, row_number() OVER (PARTITION BY callers.token_id, callers.day, callers.hash ORDER BY accepted + refused DESC, last_at DESC, network, country, agent) AS place
FROM (SELECT told.value->>0 AS token_id, told.value->>1 AS day, told.value->>2 AS hash,
iif(EXISTS (SELECT 1 FROM tombstones WHERE hash = told.value->>2 AND strftime('%s', ended_at) / 86400 < told.value->>1), 3, 20) AS most FROM json_each(?1) AS told
WHERE (SELECT count(*) FROM callers WHERE token_id = told.value->>0 AND day = told.value->>1 AND hash = told.value->>2 AND network >= 0) > most) AS large
CROSS JOIN callers ON callers.token_id = large.token_id AND callers.day = large.day AND callers.hash = large.hash AND callers.network >= 0)
WHERE place > most)`,
];

/** A statement, and its parameter: a list in JSON. */
export type UsageStatement = { sql: string; json: string };

/** The statements that write what hubs were told of calls, for one batch. Each gets only what it reads, because the time is that of reading JSON. */
export function usageStatements(rows: readonly UsageRow[]): UsageStatement[] {
  const has = (field: 'addresses' | 'reasons') => rows.some((row) => row[field] !== undefined);
  const counts = JSON.stringify(rows.map(countsOf));
  const ofCounts = [
    ADD_USAGE,
    ...MOVE_LAST_USED,
    ...(has('addresses') ? KEEP_REFUSED_ADDRESSES : []),
    ...(has('reasons') ? [ADD_REASONS] : []),
  ].map((sql) => ({ sql, json: counts }));
  const callers = rows.flatMap(callersOf);
  if (callers.length === 0) return ofCounts;
  const told = JSON.stringify(callers);
  // A secret has two rows where an hour ended; its day is told once.
  const days = new Map(callers.map((caller) => [`${caller[1]} ${caller[2]}`, caller.slice(0, 3)]));
  const json = JSON.stringify([...days.values()]);
  return [
    ...ofCounts,
    { sql: ADD_CALLERS, json: told },
    ...KEEP_CALLERS.map((sql) => ({ sql, json })),
    { sql: CALL_TOMBSTONES, json: told },
  ];
}

/** The row without its callers. */
function countsOf({
  tokenId,
  hash,
  hour,
  accepted,
  refused,
  usedAt,
  addresses,
  addressesAt,
  reasons,
}: UsageRow) {
  return { tokenId, hash, hour, accepted, refused, usedAt, addresses, addressesAt, reasons };
}

/** The callers of a row, each as token, day, secret, and what is counted of it. */
function callersOf({ tokenId, hash, hour, callers = [] }: UsageRow): (string | number)[][] {
  const day = Math.floor(hour / 24);
  return callers.map((caller) => [
    tokenId,
    day,
    hash ?? '',
    caller.network,
    caller.country,
    caller.agent,
    caller.networkName,
    caller.accepted,
    caller.refused,
    caller.lastAt ?? '',
  ]);
}
