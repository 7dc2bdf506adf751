// Fills a database of bench:large with many other organisations, and with one that is measured. The measured one is the same in
// every size.
import { markedValue } from '../worker/marked.ts';
import { sha256Hex } from '../worker/random.ts';
import { hashOfSecret, mintSecret, previewOfSecret } from '../worker/token/secret.ts';
import { migrate, ring, tokenIdOf } from './tokens.ts';
import type { Database } from './tokens.ts';

const TOKENS_EACH = 3;
const EVENTS_EACH = 20;
const USED_HOURS = 5;
const CALLED_DAYS = 2;
const CALLERS_EACH = 3;
/** The rows of the organisation that is measured. Each token, and each secret that has ended, has 20 callers and a row of all others a day. */
export const OURS = { tokens: 10, events: 1000, hours: 24 * 30, days: 30, callers: 21, ended: 30 };
export const EXPIRED = 2000;
/** How many organisations one statement fills. */
const FILLED = 1000;

/** The cookie of a session of the owner, and the tokens of the organisation. */
export const COOKIE = markedValue(ring, 'session');
export const SECRETS = Array.from({ length: OURS.tokens }, () => mintSecret(ring));
export const OWNER_EMAIL = 'owner@example.com';
export const HOUR = Math.floor(Date.now() / 3_600_000);
const DAY = Math.floor(HOUR / 24);
/** Of rows that are about the last hours, and when the secrets ended that are still called. */
const LATELY = new Date(HOUR * 3_600_000).toISOString();
const ENDED = new Date((HOUR - 24) * 3_600_000).toISOString();

/** `WITH` numbers from 0 to `count` - 1. */
const numbers = (name: string, count: number) =>
  `${name} (${name[0]}) AS (SELECT 0 UNION ALL SELECT ${name[0]} + 1 FROM ${name} WHERE ${name[0]} < ${count - 1})`;

/** Applies the migrations, and adds `organisations` other organisations beside the measured one, `acme`. */
export async function fill(db: Database, organisations: number): Promise<void> {
  await migrate(db);
  const run = (sql: string, ...values: unknown[]) =>
    db
      .prepare(sql)
      .bind(...values)
      .run();
  for (let from = 0; from < organisations; from += FILLED) {
    const count = Math.min(FILLED, organisations - from);
    const each = `WITH RECURSIVE ${numbers('organisation', count)}, ${numbers('part', TOKENS_EACH)}`;
    const id = `printf('org-%05d', o + ${from})`;
    const token = `printf('t-%05d-%d', o + ${from}, p)`;
    await db.batch([
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)} INSERT INTO organisations (id, name, plan, created_at)
         SELECT ${id}, 'Organisation', iif(o % 4 = 0, 'pro', 'enterprise'), printf('2026-01-01T%02d:%02d:00.000Z', (o + ${from}) / 3600, (o + ${from}) / 60 % 60)
         FROM organisation`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)} INSERT INTO members (email, organisation_id, created_at)
         SELECT 'member-' || (o + ${from}) || '@example.com', ${id}, '2026-01-01T00:00:00.000Z' FROM organisation`,
      ),
      db.prepare(
        `${each} INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at)
         SELECT ${token}, ${id}, lower(hex(randomblob(32))), '9p00' || p, 'member@example.com', '2026-01-01T00:00:00.000Z'
         FROM organisation, part`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)}, ${numbers('part', TOKENS_EACH)}, ${numbers('hour', USED_HOURS)}
         INSERT INTO token_usage (token_id, hour, accepted, refused)
         SELECT ${token}, ${HOUR} - h, 100, 1 FROM organisation, part, hour`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)}, ${numbers('part', TOKENS_EACH)}, ${numbers('hour', USED_HOURS)}
         INSERT INTO refusal_reasons (token_id, hour, reason, calls)
         SELECT ${token}, ${HOUR} - h, 'inactive', 1 FROM organisation, part, hour`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('day', CALLED_DAYS)}, ${numbers('caller', CALLERS_EACH)}
         INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
         SELECT id, ${DAY} - d, hash, 64496 + c, 'DE', 'python-requests', 'Example Hosting GmbH', 100, 1, '${LATELY}'
         FROM tokens, day, caller WHERE organisation_id BETWEEN printf('org-%05d', ${from}) AND printf('org-%05d', ${from + count - 1})`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)}
         INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by, called_at)
         SELECT lower(hex(randomblob(32))), printf('gone-%05d', o + ${from}), ${id}, '9p0zz', 'Website', 'deleted', '${ENDED}', 'member@example.com', '${LATELY}'
         FROM organisation`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)}, ${numbers('event', EVENTS_EACH)}
         INSERT INTO events (at, organisation_id, actor, action, token_id, preview, request_id, ip, user_agent)
         SELECT '2026-02-01T00:00:00.000Z', ${id}, 'member-' || (o + ${from}) || '@example.com',
           iif(e % 2 = 0, 'token.created', 'token.deactivated'), printf('t-%05d-%d', o + ${from}, e % ${TOKENS_EACH}), '9p000',
           hex(randomblob(8)), '2001:db8::/64', 'Firefox 145, Windows' FROM organisation, event`,
      ),
      db.prepare(
        `WITH RECURSIVE ${numbers('organisation', count)} INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at)
         SELECT lower(hex(randomblob(32))), hex(randomblob(16)), 'member-' || (o + ${from}) || '@example.com', 'link', 0, 0, ${Date.now() + 86_400_000}
         FROM organisation`,
      ),
    ]);
  }
  const at = '2026-06-01T00:00:00.000Z';
  await run(
    "INSERT INTO organisations (id, name, plan, created_at) VALUES ('acme', 'Acme', 'enterprise', ?)",
    at,
  );
  await run(
    'INSERT INTO members (email, organisation_id, created_at) VALUES (?, ?, ?)',
    OWNER_EMAIL,
    'acme',
    at,
  );
  for (const [index, secret] of SECRETS.entries()) {
    await run(
      'INSERT INTO tokens (id, organisation_id, hash, preview, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      tokenIdOf(index),
      'acme',
      hashOfSecret(secret),
      previewOfSecret(secret),
      OWNER_EMAIL,
      at,
    );
  }
  await run(
    `WITH RECURSIVE ${numbers('hour', OURS.hours)} INSERT INTO token_usage (token_id, hour, accepted, refused)
     SELECT id, ${HOUR} - h, 100, 1 FROM hour, tokens WHERE organisation_id = 'acme'`,
  );
  await run(
    `WITH RECURSIVE ${numbers('hour', 24)}
     INSERT INTO refusal_reasons (token_id, hour, reason, calls)
     SELECT tokens.id, ${HOUR} - h, value, 1 FROM hour, json_each('["inactive","network"]'), tokens WHERE organisation_id = 'acme'`,
  );
  await run(
    `WITH RECURSIVE ${numbers('ended', OURS.ended)}
     INSERT INTO tombstones (hash, token_id, organisation_id, preview, name, kind, ended_at, ended_by, called_at)
     SELECT lower(hex(randomblob(32))), 'gone-' || e, 'acme', printf('9pz%02d', e), 'Website', 'deleted', '${ENDED}', ?1, ?2 FROM ended`,
    OWNER_EMAIL,
    LATELY,
  );
  await run(
    `WITH RECURSIVE ${numbers('day', OURS.days)}, ${numbers('caller', OURS.callers)}
     INSERT INTO callers (token_id, day, hash, network, country, agent, network_name, accepted, refused, last_at)
     SELECT called.id, ${DAY} - d, called.hash, iif(c = 0, -1, 64496 + c), 'DE', 'python-requests', 'Example Hosting GmbH', 100, 1, ?
     FROM day, caller, (SELECT id, hash FROM tokens WHERE organisation_id = 'acme' UNION ALL SELECT token_id, hash FROM tombstones WHERE organisation_id = 'acme') AS called`,
    LATELY,
  );
  await run(
    `WITH RECURSIVE ${numbers('event', OURS.events)}
     INSERT INTO events (at, organisation_id, actor, action, token_id, preview, request_id, ip, user_agent)
     SELECT '2026-10-01T00:00:00.000Z', 'acme', ?, iif(e % 2 = 0, 'token.created', 'token.deactivated'),
       '${tokenIdOf(0).slice(0, -1)}' || (e % ${OURS.tokens}), '9p000', hex(randomblob(8)), '2001:db8::/64', 'Firefox 145, Windows'
     FROM event`,
    OWNER_EMAIL,
  );
  const now = Date.now();
  await run(
    'INSERT INTO sessions (hash, id, email, method, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    sha256Hex(COOKIE),
    crypto.randomUUID(),
    OWNER_EMAIL,
    'link',
    now,
    now,
    now + 3_600_000,
  );
}

/** Adds expired sign-ins, which the hourly run removes. */
export const plantExpired = (db: Database) =>
  db
    .prepare(
      `WITH RECURSIVE ${numbers('expired', EXPIRED)} INSERT INTO sign_ins (hash, browser_hash, expires_at)
       SELECT lower(hex(randomblob(32))), 'browser', 1 FROM expired`,
    )
    .run();
