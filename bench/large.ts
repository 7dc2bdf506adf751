// npm run bench:large: the statements of the product on a database of 20,000 organisations, 60,000 tokens and 400,000 events, beside
// one of a thousandth of that, in one run. Rows read are D1's own count. It fails where a statement walks a table.
//   --small   the large database has a hundredth of it: shows that the script works, concludes nothing
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { markedValue } from '../worker/marked.ts';
import { sha256Hex } from '../worker/random.ts';
import { hashOfSecret, mintSecret, previewOfSecret } from '../worker/token/secret.ts';
import {
  ADD_USAGE,
  CHANGES_FROM,
  READ,
  MOVE_LAST_USED,
  NEWEST_CHANGES,
  OWNER,
} from '../worker/verification/source/statements.ts';
import { bundleProduct } from './bundle.ts';
import { openFleet, ours, peer, SETTINGS } from './fleet.ts';
import { median } from './statistics.ts';
import { migrate, ring } from './tokens.ts';
import type { Database } from './tokens.ts';

const { values: options } = parseArgs({ options: { small: { type: 'boolean', default: false } } });
const SIZES = options.small ? { small: 20, large: 200 } : { small: 20, large: 20_000 };
const TOKENS_EACH = 3;
const EVENTS_EACH = 20;
const USED_HOURS = 5;
/** What the organisation that is looked at has of its own, in either database. */
const OURS = { tokens: 10, events: 1000, hours: 24 * 30 };
const EXPIRED = 2000;
const ROUNDS = 11;
/** One statement fills so many organisations. */
const FILLED = 1000;

type Answer = {
  status: number;
  bytes: number;
  sent: { sql: string; rowsRead: number; rowsWritten: number }[];
};
type Row = { rowsRead: number; statements: number; ms: number };

const say = (line: string) => process.stderr.write(`${line}\n`);
const COOKIE = markedValue(ring, 'session');
const SECRETS = Array.from({ length: OURS.tokens }, () => mintSecret(ring));
const OWNER_EMAIL = 'owner@example.com';
const HOUR = Math.floor(Date.now() / 3_600_000);

/** `WITH` numbers from 0 to `count` - 1. */
const numbers = (name: string, count: number) =>
  `${name} (${name[0]}) AS (SELECT 0 UNION ALL SELECT ${name[0]} + 1 FROM ${name} WHERE ${name[0]} < ${count - 1})`;

async function fill(db: Database, organisations: number): Promise<void> {
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
      `00000000-0000-4000-8000-00000000000${index}`,
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
    `WITH RECURSIVE ${numbers('event', OURS.events)}
     INSERT INTO events (at, organisation_id, actor, action, token_id, preview, request_id, ip, user_agent)
     SELECT '2026-10-01T00:00:00.000Z', 'acme', ?, iif(e % 2 = 0, 'token.created', 'token.deactivated'),
       '00000000-0000-4000-8000-00000000000' || (e % ${OURS.tokens}), '9p000', hex(randomblob(8)), '2001:db8::/64', 'Firefox 145, Windows'
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

const plantExpired = (db: Database) =>
  db
    .prepare(
      `WITH RECURSIVE ${numbers('expired', EXPIRED)} INSERT INTO sign_ins (hash, browser_hash, expires_at)
       SELECT lower(hex(randomblob(32))), 'browser', 1 FROM expired`,
    )
    .run();

const OPERATOR = { authorization: `Bearer ${SETTINGS.OPERATOR_SECRET}` };
const MEMBER = { cookie: `local-session=${COOKIE}` };
const ZONE = '/api/organisations/acme';

/** One of the two databases, behind a Worker of its own. */
type Side = { db: Database; send(path: string, init?: RequestInit): Promise<Answer> };

/** The whole run. The two take turns, so that whatever else the machine does meets both. */
async function measure(
  small: Side,
  large: Side,
): Promise<{ rows: Map<string, { small: Row; large: Row }>; statements: Set<string> }> {
  const rows = new Map<string, { small: Row; large: Row }>();
  const statements = new Set<string>();
  async function row(
    title: string,
    ask: (side: Side, round: number) => Promise<Answer['sent']>,
    rounds = ROUNDS,
  ): Promise<void> {
    const sides = [small, large].map((side) => ({ side, took: [] as number[], sent: [] as Answer['sent'] }));
    for (let round = 0; round < rounds; round++) {
      for (const one of round % 2 === 0 ? sides : sides.toReversed()) {
        const startedAt = performance.now();
        one.sent = await ask(one.side, round);
        one.took.push(performance.now() - startedAt);
        for (const { sql } of one.sent) statements.add(sql);
      }
    }
    const [first, second] = sides.map(({ took, sent }) => ({
      rowsRead: sent.reduce((sum, each) => sum + each.rowsRead, 0),
      statements: sent.length,
      ms: median(took),
    }));
    if (first !== undefined && second !== undefined) rows.set(title, { small: first, large: second });
  }
  const request =
    (path: string, init?: RequestInit, status = 200) =>
    async (side: Side) => {
      const answer = await side.send(path, init);
      if (answer.status !== status) throw new Error(`${path}: ${answer.status}`);
      return answer.sent;
    };
  /** A statement of a hub. */
  const asked = (sql: string, ...values: unknown[]) =>
    request('/statement', { method: 'POST', body: JSON.stringify({ sql, values }) });

  await row(
    'a call with a token that no isolate remembers',
    (side, round) =>
      request('/v1/ping', { headers: { authorization: `Bearer ${SECRETS[round] ?? ''}` } })(side),
    OURS.tokens,
  );
  await row('the same statement for 10 tokens', asked(READ, JSON.stringify(SECRETS.map(hashOfSecret))));
  await row('a hub: what is new', async (side) => {
    const head = (await side.db.prepare('SELECT max(seq) AS seq FROM changes').first<number>('seq')) ?? 0;
    return asked(CHANGES_FROM, head, 5000)(side);
  });
  await row('a hub: whose the database is', asked(OWNER));
  await row('a hub: the counts of 10 tokens', async (side) => {
    const usage = JSON.stringify(
      SECRETS.map((_, index) => ({
        tokenId: `00000000-0000-4000-8000-00000000000${index}`,
        hour: HOUR,
        accepted: 1,
        refused: 0,
        usedAt: new Date().toISOString(),
      })),
    );
    return [...(await asked(ADD_USAGE, usage)(side)), ...(await asked(MOVE_LAST_USED, usage)(side))];
  });
  await row('a page: the session', request('/api/session', { headers: MEMBER }));
  await row('a page: the tokens', request(`${ZONE}/tokens`, { headers: MEMBER }));
  await row('a page: 30 days of calls', request(`${ZONE}/usage`, { headers: MEMBER }));
  await row('a page: the activity', request(`${ZONE}/activity`, { headers: MEMBER }));
  await row(
    'the activity of one action',
    request(`${ZONE}/activity?action=token.created`, { headers: MEMBER }),
  );
  await row(
    'the activity of one person',
    request(`${ZONE}/activity?actor=${OWNER_EMAIL}`, { headers: MEMBER }),
  );
  await row('the people of the activity', request(`${ZONE}/activity/people`, { headers: MEMBER }));
  await row('the export of 1,000 events', request(`${ZONE}/activity.jsonl`, { headers: MEMBER }));
  await row('/operator/status', request('/operator/status', { headers: OPERATOR }), 3);
  await row(
    '/operator/events?since=, 1,000 events',
    request('/operator/events?since=2026-09-01T00:00:00Z', { headers: OPERATOR }),
  );
  await row(
    '/operator/organisations?plan=&since=',
    request('/operator/organisations?plan=enterprise&since=2026-05-01T00:00:00Z', { headers: OPERATOR }),
  );
  const wanted = [{ id: 'acme', name: 'Acme', plan: 'enterprise' }];
  for (let index = 0; wanted.length < 20; index++) {
    wanted.push({
      id: `org-${String(index).padStart(5, '0')}`,
      name: 'Organisation',
      plan: index % 4 === 0 ? 'pro' : 'enterprise',
    });
  }
  const headers = { ...OPERATOR, 'content-type': 'application/json' };
  await row(
    'the nightly PUT of 20 that changes nothing',
    request('/operator/organisations', {
      method: 'PUT',
      headers,
      body: JSON.stringify({ organisations: wanted }),
    }),
  );
  // The first run fills the reserve.
  for (const side of [small, large]) {
    await side.send('/scheduled');
    await plantExpired(side.db);
  }
  await row(`the hourly run that removes ${EXPIRED.toLocaleString('en')} rows`, request('/scheduled'), 1);
  await row('the hourly run that finds nothing', request('/scheduled'), 3);
  await row('a hub: its first load, the last 50,000 changes', asked(NEWEST_CHANGES, 50_000), 3);
  return { rows, statements };
}

async function walksOf(db: Database, statements: Set<string>): Promise<string[]> {
  const walks: string[] = [];
  for (const sql of statements) {
    // A pragma has no plan that is worth a look.
    if (/pragma/i.test(sql)) continue;
    const numbered = [...sql.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n));
    const places = numbered.length > 0 ? Math.max(...numbered) : sql.split('?').length - 1;
    const { results } = await db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...Array<null>(places).fill(null))
      .all<{ detail: string }>();
    for (const { detail } of results) {
      // A list that the statement was given, its own intermediate rows, or the newest changes, which end at their LIMIT.
      const isBounded =
        /^SCAN (?:CONSTANT ROW|\(subquery|people$|part$|asked\b|json_each\b|used\b)/.test(detail) ||
        (detail === 'SCAN changes' && /FROM changes ORDER BY seq DESC LIMIT/.test(sql));
      if (detail.startsWith('SCAN ') && !isBounded) walks.push(`${detail}: ${sql}`);
    }
  }
  return walks;
}

const wrapper = transformSync(readFileSync(new URL('peers/measured.ts', import.meta.url), 'utf8'), {
  loader: 'ts',
}).code;
const code = bundleProduct();
const NAMES = ['small', 'large'] as const;
const fleet = await openFleet([
  peer('bare', 'export default { fetch: () => new Response() }'),
  ...NAMES.map((name) => ours({ name, code, wrapper, database: name })),
]);
try {
  const open = async (name: (typeof NAMES)[number]): Promise<Side> => {
    const db = await fleet.miniflare.getD1Database('DB', name);
    say(`Filling ${name}`);
    await fill(db, SIZES[name]);
    const size = await db
      .prepare(
        'SELECT (SELECT count(*) FROM organisations) AS organisations, (SELECT count(*) FROM tokens) AS tokens, (SELECT count(*) FROM events) AS events',
      )
      .first<Record<string, number>>();
    const { meta } = await db.prepare('SELECT 1').run();
    say(`${JSON.stringify(size)}, ${(meta.size_after / 1e6).toFixed(1)} MB`);
    const origin = `http://localhost:${await fleet.port(name)}`;
    const send = async (path: string, init?: RequestInit): Promise<Answer> =>
      // What bench/peers/measured.ts answers.
      (await (await fetch(origin + path, init)).json()) as Answer;
    return { db, send };
  };
  const [small, large] = [await open('small'), await open('large')];
  const { rows, statements } = await measure(small, large);
  const walks = await walksOf(large.db, statements);
  say(`${statements.size} statements, ${walks.length} of them walk a table`);
  for (const walk of walks) say(walk);
  if (walks.length > 0) process.exitCode = 1;
  console.log('| asked | statements | rows read, small | rows read, large | ms, large | ratio of ms |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const [title, row] of rows) {
    console.log(
      `| ${title} | ${row.large.statements} | ${row.small.rowsRead.toLocaleString('en')} | ${row.large.rowsRead.toLocaleString('en')} | ${row.large.ms.toFixed(1)} | ${(row.large.ms / row.small.ms).toFixed(2)} |`,
    );
  }
} finally {
  await fleet.dispose();
}
