// A page of the activity reads about as many rows as it shows, whatever is asked for: D1 has one thread for all organisations.
import { env } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import type { Db } from '../database.ts';
import { openDeployment } from '../deployment/deployment.ts';
import { listEvents, listPeople } from './store.ts';
import type { Filter } from './store.ts';

const ORGANISATION = `read-${crypto.randomUUID()}`;
const DELETED = `deleted-${crypto.randomUUID()}`;
const TOKEN = crypto.randomUUID();
const [BUSY, CALM] = ['busy@example.com', 'calm@example.com'];
const PAGE = 50;

/** Events of one token, all alike but for who made them. */
async function givenEvents(
  count: number,
  actor: string,
  organisation = ORGANISATION,
  action = 'token.renamed',
): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     INSERT INTO events (at, organisation_id, actor, action, token_id, request_id)
     SELECT '2026-11-23T18:00:00.000Z', ?2, ?3, ?5, ?4, i FROM n`,
  )
    .bind(count, organisation, actor, TOKEN, action)
    .run();
}

beforeAll(async () => {
  await givenEvents(70, CALM);
  await givenEvents(5000, BUSY);
  await givenEvents(2000, BUSY, DELETED);
  await givenEvents(1, 'operator', DELETED, 'organisation.deleted');
});

/** What a call answers, and how many rows its statements read, as D1 counts them. */
async function counted<T>(run: (db: Db) => Promise<T>) {
  const sent: [sql: string, values: unknown[]][] = [];
  const DB = new Proxy(env.DB, {
    get(database, name) {
      if (name === 'prepare') {
        return (sql: string) =>
          new Proxy(database.prepare(sql), {
            get(statement, part) {
              const value: unknown = Reflect.get(statement, part);
              if (typeof value !== 'function') return value;
              return (...values: unknown[]): unknown => {
                if (part === 'bind') sent.push([sql, values]);
                return Reflect.apply(value, statement, values);
              };
            },
          });
      }
      const value: unknown = Reflect.get(database, name);
      return typeof value === 'function' ? value.bind(database) : value;
    },
  });
  const answer = await run(await openDeployment({ ...env, DB }).openDatabase());
  const results = await Promise.all(
    sent.map(([sql, values]) =>
      env.DB.prepare(sql)
        .bind(...values)
        .all(),
    ),
  );
  return { answer, rowsRead: results.reduce((sum, { meta }) => sum + meta.rows_read, 0) };
}

const choices = <T>(...values: T[]): (T | undefined)[] => [undefined, ...values];
const FILTERS = choices(TOKEN, crypto.randomUUID()).flatMap((token) =>
  choices(BUSY, CALM, 'nobody@example.com').flatMap((actor) =>
    choices('token.renamed', 'sign-in').map((action): Filter => {
      const filter = { token, actor, action };
      return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
    }),
  ),
);

it.each(FILTERS.map((filter) => ({ names: Object.keys(filter).join(' and ') || 'nothing', filter })))(
  'reads about as many rows as a page shows, of 5,000 events, by $names: $filter',
  async ({ filter }) => {
    const { answer, rowsRead } = await counted((db) => listEvents(db, ORGANISATION, filter, PAGE));
    // A token together with something else is looked for among 500 events of the token.
    const isLookedFor = filter.token !== undefined && Object.keys(filter).length > 1;
    const most = isLookedFor ? 510 : PAGE + 10;
    expect(rowsRead).toBeLessThan(most);
    expect(answer.events.length).toBeLessThanOrEqual(PAGE);
    const onwards = await counted((db) => listEvents(db, ORGANISATION, { ...filter, before: 3000 }, PAGE));
    expect(onwards.rowsRead).toBeLessThan(most);
    // The same events, of an organisation that had the id before.
    const afterwards = await counted((db) => listEvents(db, DELETED, filter, PAGE));
    expect(afterwards.answer).toEqual({ events: [], next: null });
    expect(afterwards.rowsRead).toBeLessThan(10);
  },
);

it('finds by a token and something else all that there is, page by page, however deep it lies', async () => {
  const db = await openDeployment(env).openDatabase();
  const seen: string[] = [];
  let pages = 0;
  const filter: Filter = { token: TOKEN, actor: CALM, action: 'token.renamed' };
  for (;;) {
    const { events, next } = await listEvents(db, ORGANISATION, filter, PAGE);
    pages++;
    seen.push(...events.map(({ id }) => id));
    if (next === null) break;
    filter.before = Number(next);
  }
  expect(seen).toHaveLength(70);
  expect(seen).toEqual(seen.toSorted((one, other) => Number(other) - Number(one)));
  expect(pages).toBeLessThan(5070 / 500 + 3);
});

it('reads a few rows for each person that it names', async () => {
  const { answer, rowsRead } = await counted((db) => listPeople(db, ORGANISATION));
  expect(answer).toEqual({ people: [BUSY, CALM], more: false });
  expect(rowsRead).toBeLessThan(30);
});
