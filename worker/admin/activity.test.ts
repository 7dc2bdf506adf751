import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../activity/events.ts';
import { sealCursor } from '../activity/shown.ts';
import type { Event } from '../activity/store.ts';
import { openDeployment } from '../deployment/deployment.ts';
import { HttpCaller } from '../http/caller.ts';
import { call, givenOrganisation, givenSession, givenToken, write } from '../test/harness.ts';
import { operate } from '../test/operate.ts';

type Page = { events: Event[]; next: string | null };

/** Events of an organisation, oldest first, written as the Worker writes them. */
async function givenEvents(organisation: string, events: Partial<Event>[]): Promise<void> {
  for (let start = 0; start < events.length; start += 500) {
    await env.DB.batch(
      events.slice(start, start + 500).map((event) =>
        env.DB.prepare(
          `INSERT INTO events (at, organisation_id, actor, action, request_id, user_agent, detail)
             VALUES (?, ?, ?, ?, 'r', ?, ?)`,
        ).bind(
          event.at ?? '2026-11-23T18:00:00.000Z',
          organisation,
          event.actor ?? 'owner@example.com',
          event.action ?? 'token.created',
          event.userAgent ?? null,
          event.detail ?? null,
        ),
      ),
    );
  }
}

async function read(organisation: string, query = '', file = 'activity'): Promise<Response> {
  return call(`/api/organisations/${organisation}/${file}${query}`, { headers: await givenSession() });
}

describe('the activity', () => {
  it('says who did what to which token, from where and when, and has no secret', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const created = await write(
      'POST',
      `/api/organisations/${organisation}/tokens`,
      { ...session, 'cf-connecting-ip': '203.0.113.7', 'user-agent': 'A browser' },
      { name: 'Website' },
    );
    const { token, secret } = await created.json<{
      token: { id: string; preview: string };
      secret: string;
    }>();
    const answer = await read(organisation);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const text = await answer.text();
    const { hash } = (await env.DB.prepare('SELECT hash FROM tokens WHERE id = ?')
      .bind(token.id)
      .first<{ hash: string }>()) ?? { hash: 'none' };
    for (const hidden of [secret, hash, session.cookie.split('=')[1] ?? 'none']) {
      expect(text).not.toContain(hidden);
    }
    const { events, next } = JSON.parse(text) as Page;
    expect(next).toBeNull();
    expect(events).toMatchObject([
      {
        actor: 'owner@example.com',
        action: 'token.created',
        tokenId: token.id,
        preview: token.preview,
        detail: 'Website',
        ip: '203.0.113.7',
        userAgent: 'A browser',
      },
    ]);
    expect(new Date(events[0]?.at ?? '').toISOString()).toBe(events[0]?.at);
  });

  it('is read page by page from the newest event to the oldest, each event once, also while new ones arrive', async () => {
    const organisation = await givenOrganisation();
    await givenEvents(
      organisation,
      Array.from({ length: 120 }, (_, index) => ({ detail: String(index) })),
    );
    const seen: (string | null)[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await (await read(organisation, cursor && `?before=${cursor}`)).json();
      seen.push(...page.events.map(({ detail }) => detail));
      cursor = page.next;
      await givenEvents(organisation, [{ detail: 'late' }]);
    }
    expect(seen).toEqual(Array.from({ length: 120 }, (_, index) => String(119 - index)));
  });

  it('is filtered by action and by person, whatever the case of the address', async () => {
    const organisation = await givenOrganisation();
    await givenEvents(organisation, [
      { action: 'token.created', actor: 'owner@example.com' },
      { action: 'token.deleted', actor: 'owner@example.com' },
      { action: 'token.deleted', actor: 'member@example.com' },
    ]);
    const find = async (query: string) =>
      (await (await read(organisation, query)).json<Page>()).events.map(({ action, actor }) => [
        action,
        actor,
      ]);
    expect(await find('?action=token.deleted')).toEqual([
      ['token.deleted', 'member@example.com'],
      ['token.deleted', 'owner@example.com'],
    ]);
    expect(await find('?actor=Member@Example.com')).toEqual([['token.deleted', 'member@example.com']]);
    expect(await find('?actor=owner@example.com&action=token.created')).toEqual([
      ['token.created', 'owner@example.com'],
    ]);
    for (const action of ACTIONS) expect((await read(organisation, `?action=${action}`)).status).toBe(200);
  });

  it('is filtered by token, and lists the people that one can filter by', async () => {
    const organisation = await givenOrganisation('enterprise', ['owner@example.com', 'member@example.com']);
    const [one, other] = [await givenToken(organisation), await givenToken(organisation)];
    const owner = await givenSession();
    const at = `/api/organisations/${organisation}/tokens`;
    await write('PATCH', `${at}/${one.id}`, owner, { name: 'One' });
    await write('PATCH', `${at}/${other.id}`, owner, { name: 'Other' });
    await write('DELETE', `${at}/${one.id}`, await givenSession('member@example.com'));
    const find = async (query: string) =>
      (await (await read(organisation, query)).json<Page>()).events.map(({ action, detail }) => [
        action,
        detail,
      ]);
    expect(await find(`?token=${one.id}`)).toEqual([
      ['token.deleted', null],
      ['token.renamed', 'One'],
    ]);
    expect(await find(`?token=${one.id}&action=token.renamed&actor=owner@example.com`)).toEqual([
      ['token.renamed', 'One'],
    ]);
    expect(await find(`?token=${crypto.randomUUID()}`)).toEqual([]);
    // A token of another organisation is not shown here.
    const elsewhere = await givenOrganisation();
    expect(await (await read(elsewhere, `?token=${one.id}`)).json()).toEqual({ events: [], next: null });
    expect(await (await read(organisation, '/people')).json()).toEqual({
      people: ['member@example.com', 'owner@example.com'],
      more: false,
    });
    expect(await (await read(elsewhere, '/people')).json()).toEqual({ people: [], more: false });
    await givenEvents(
      elsewhere,
      Array.from({ length: 501 }, (_, index) => ({ actor: `p${1000 + index}@example.com` })),
    );
    const { people, more } = await (
      await read(elsewhere, '/people')
    ).json<{ people: string[]; more: boolean }>();
    expect([people.length, people.at(-1), more]).toEqual([500, 'p1499@example.com', true]);
  });

  it.each([
    ['?token=9pW4k', 'Query "token": no id of a token'],
    ['?before=x', 'Query "before": no cursor'],
    ['?before=-1', 'Query "before": no cursor'],
    ['?action=token', 'Query "action": unknown'],
    // The operator alone sees these.
    ['?action=organisation.deleted', 'Query "action": unknown'],
    ['?action=webhook.moved', 'Query "action": unknown'],
    [`?actor=${'a'.repeat(255)}`, 'Query "actor": longer than 254 characters'],
  ])('refuses %s', async (query, detail) => {
    const organisation = await givenOrganisation();
    for (const file of ['activity', 'activity.csv', 'activity.jsonl']) {
      const answer = await read(organisation, query, file);
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ detail });
    }
  });

  it('never shows the events of another organisation', async () => {
    const [mine, theirs] = [
      await givenOrganisation(),
      await givenOrganisation('enterprise', ['x@example.com']),
    ];
    await givenEvents(theirs, [{ detail: 'theirs' }]);
    const newest = await env.DB.prepare('SELECT max(id) AS id FROM events').first<{ id: number }>();
    const after = String((newest?.id ?? 0) + 1);
    const cursor = await sealCursor(openDeployment(env).settings.tagKeys, mine, after);
    for (const file of ['activity', 'activity.csv', 'activity.jsonl']) {
      const answer = await read(mine, `?before=${cursor}`, file);
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain('theirs');
      // A number that was not sealed, and a cursor that another organisation was given, are none.
      for (const other of [after, await sealCursor(openDeployment(env).settings.tagKeys, theirs, after)])
        expect((await read(mine, `?before=${other}`, file)).status).toBe(422);
    }
  });

  it('has ids and cursors that do not tell how much other organisations do', async () => {
    const [mine, theirs] = [await givenOrganisation(), await givenOrganisation()];
    const many = (detail: string) => Array.from({ length: 60 }, () => ({ detail }));
    await givenEvents(mine, many('one'));
    await givenEvents(theirs, many('theirs'));
    await givenEvents(mine, many('two'));
    const { events, next } = await (await read(mine)).json<Page>();
    const ids = events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(50);
    for (const id of [...ids, next]) expect(id).not.toMatch(/^\d{1,15}$/);
    // The same event has the same id wherever it is shown.
    expect((await (await read(mine)).json<Page>()).events.map(({ id }) => id)).toEqual(ids);
    const lines = (await (await read(mine, '', 'activity.jsonl')).text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Event).id).slice(0, 50)).toEqual(ids);
  });

  it('shows nothing of an organisation that had the same id before', async () => {
    const id = `again-${crypto.randomUUID()}`;
    const formerly = async (path: string) =>
      (
        await call(`/api/organisations/${id}/${path}`, { headers: await givenSession('former@example.com') })
      ).json<Page>();
    await operate('PUT', `/organisations/${id}`, { name: 'Former', plan: 'enterprise' });
    await operate('PUT', `/organisations/${id}/members/former@example.com`);
    await givenEvents(
      id,
      Array.from({ length: 60 }, () => ({ actor: 'former@example.com' })),
    );
    const token = await givenToken(id);
    const path = `/api/organisations/${id}/tokens/${token.id}`;
    await write('PATCH', path, await givenSession('former@example.com'), { name: 'Former' });
    const { events, next } = await formerly('activity');
    expect(events).toHaveLength(50);
    expect((await operate('DELETE', `/organisations/${id}`)).status).toBe(200);
    await operate('PUT', `/organisations/${id}`, { name: 'Beta', plan: 'enterprise' });
    await operate('PUT', `/organisations/${id}/members/owner@example.com`);
    const queries = ['', `?before=${next}`, '?actor=former@example.com', `?token=${token.id}`];
    queries.push('?action=token.renamed', '?actor=former@example.com&action=token.created');
    queries.push(`?token=${token.id}&actor=former@example.com`, '?actor=operator');
    for (const file of ['activity', 'activity.csv', 'activity.jsonl', 'activity/people']) {
      for (const query of queries) {
        const answer = await read(id, query, file);
        expect(answer.status).toBe(200);
        expect(await answer.text()).not.toMatch(/former/i);
      }
    }
    const page = await (await read(id)).json<Page>();
    expect(page.events.map(({ action }) => action)).toEqual(['member.added', 'organisation.created']);
    expect(await (await read(id, '', 'activity/people')).json()).toEqual({
      people: ['operator'],
      more: false,
    });
    // The operator's own export has all of it.
    const all = await (await operate('GET', `/events?organisation=${id}`)).text();
    for (const action of ['token.renamed', 'organisation.deleted', 'member.added'])
      expect(all).toContain(action);
  }, 60_000);

  it('lists the people since the last deletion of the organisation, and says when there may be more', async () => {
    const organisation = await givenOrganisation();
    const names = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ actor: `${letter}${1000 + index}@example.com` }));
    const readPeople = async () =>
      (await read(organisation, '', 'activity/people')).json<{ people: string[]; more: boolean }>();
    await givenEvents(organisation, [...names('a', 600), ...names('z', 1)]);
    await givenEvents(organisation, [{ action: 'organisation.deleted' }, ...names('b', 3)]);
    const now = names('b', 3).map(({ actor }) => actor);
    expect(await readPeople()).toEqual({ people: now, more: false });
    await givenEvents(organisation, [
      ...names('c', 1500),
      { action: 'organisation.deleted' },
      ...names('b', 3),
      ...names('z', 1),
    ]);
    // After 2,000 former people, no more are looked for.
    expect(await readPeople()).toEqual({ people: now, more: true });
  });

  it('shows neither the address nor the client of the operator', async () => {
    const organisation = await givenOrganisation();
    const insert = `INSERT INTO events (at, organisation_id, actor, action, request_id, ip, user_agent)
      VALUES ('2026-11-23T18:00:00.000Z', ?, ?, 'plan.changed', 'r', '203.0.113.9', 'billing/1.0')`;
    for (const actor of ['operator', 'owner@example.com'])
      await env.DB.prepare(insert).bind(organisation, actor).run();
    const { events } = await (await read(organisation)).json<Page>();
    expect(events.map(({ actor, ip, userAgent }) => [actor, ip, userAgent])).toEqual([
      ['owner@example.com', '203.0.113.9', 'billing/1.0'],
      ['operator', null, null],
    ]);
    for (const file of ['activity.csv', 'activity.jsonl']) {
      const text = await (await read(organisation, '?actor=operator', file)).text();
      expect(text).toContain('plan.changed');
      expect(text).not.toMatch(/203\.0\.113\.9|billing/);
    }
  });

  it('keeps a user agent without control characters, and without invisible ones that turn text around', () => {
    // `new Headers` does not take these characters; a socket does.
    const text = 'Good\u001B[31m \u202EBrowser\u2066\u200F/1.0\u0085';
    const headers = { get: (name: string) => (name === 'user-agent' ? text : null) };
    const { agent } = new HttpCaller({ headers } as unknown as Request, '/');
    expect(agent).toBe('Good[31m Browser/1.0');
  });

  it('is exported as JSON Lines and as CSV, whole, newest first, and by the same filter', async () => {
    const organisation = await givenOrganisation();
    await givenEvents(
      organisation,
      Array.from({ length: 1203 }, (_, index) => ({
        detail: String(index),
        actor: `a${index % 2}@example.com`,
      })),
    );
    const lines = await read(organisation, '', 'activity.jsonl');
    expect(lines.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    expect(lines.headers.get('content-disposition')).toBe('attachment; filename="activity.jsonl"');
    expect(lines.headers.get('cache-control')).toBe('no-store');
    const events = (await lines.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    expect(events.map(({ detail }) => detail)).toEqual(
      Array.from({ length: 1203 }, (_, index) => String(1202 - index)),
    );
    const table = (await (await read(organisation, '?actor=a1@example.com', 'activity.csv')).text()).split(
      '\r\n',
    );
    expect(table[0]).toBe('at,actor,action,tokenId,preview,detail,ip,userAgent,requestId');
    expect(table.at(-1)).toBe('');
    expect(table).toHaveLength(1 + 601 + 1);
    expect(table[1]).toBe('2026-11-23T18:00:00.000Z,a1@example.com,token.created,,,1201,,,r');
  });

  it('has no CSV cell that runs as a formula, ends its quotes early, or adds a row', async () => {
    const organisation = await givenOrganisation();
    const cells: [string, string][] = [
      ['=HYPERLINK("http://evil.example")', `"'=HYPERLINK(""http://evil.example"")"`],
      ['+1', "'+1"],
      ['-1', "'-1"],
      ['@SUM(A1)', "'@SUM(A1)"],
      ['  =1', "'  =1"],
      ['\t=1', `"'\t'=1"`],
      ['\r\n=1', `"'\r\n'=1"`],
      ['x;=1+1;y', `"x;'=1+1;y"`],
      ['x\t+1', `"x\t'+1"`],
      ['x; @SUM(A1)', `"x;' @SUM(A1)"`],
      ['x;"=1+1"', `"x;""'=1+1"""`],
      ['a;b', '"a;b"'],
      ['＝1', "'＝1"],
      ['a,b', '"a,b"'],
      ['say "hi"', '"say ""hi"""'],
      ['two\nlines', '"two\nlines"'],
      ['Website', 'Website'],
    ];
    await givenEvents(
      organisation,
      cells.toReversed().map(([detail]) => ({ detail })),
    );
    const table = await (await read(organisation, '', 'activity.csv')).text();
    const head = 'at,actor,action,tokenId,preview,detail,ip,userAgent,requestId\r\n';
    expect(table).toBe(
      head +
        cells
          .map(([, cell]) => `2026-11-23T18:00:00.000Z,owner@example.com,token.created,,,${cell},,,r\r\n`)
          .join(''),
    );
  });

  it('of an empty organisation is an empty page, an empty JSON Lines file, and a CSV file with only its head line', async () => {
    const organisation = await givenOrganisation();
    expect(await (await read(organisation)).json()).toEqual({ events: [], next: null });
    expect(await (await read(organisation, '', 'activity.jsonl')).text()).toBe('');
    expect((await (await read(organisation, '', 'activity.csv')).text()).split('\r\n')).toHaveLength(2);
  });
});

describe('the record', () => {
  it.each([
    "UPDATE events SET actor = 'x'",
    'DELETE FROM events',
    "REPLACE INTO events (id, at, actor, action, request_id) SELECT id, at, 'x', action, request_id FROM events",
    "INSERT INTO events (id, at, actor, action, request_id) VALUES (-1, '1999', 'x', 'x', 'x')",
  ])('cannot be tampered with: %s', async (sql) => {
    await givenEvents(await givenOrganisation(), [{}]);
    await expect(env.DB.prepare(sql).run()).rejects.toThrow('events are append-only');
  });

  it('cannot be written: then the change is not made either', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id } = await givenToken(organisation);
    const path = `/api/organisations/${organisation}/tokens`;
    await env.DB.prepare(
      "CREATE TRIGGER no_room BEFORE INSERT ON events BEGIN SELECT RAISE (ABORT, 'disk full'); END",
    ).run();
    try {
      const answers = [
        await write('POST', path, session, {}),
        await write('PATCH', `${path}/${id}`, session, { active: false }),
        await write('PATCH', `${path}/${id}`, session, { name: 'New' }),
        await write('DELETE', `${path}/${id}`, session),
      ];
      for (const answer of answers) {
        expect(answer.status).toBeGreaterThanOrEqual(500);
        expect(await answer.text()).not.toContain('disk full');
      }
    } finally {
      await env.DB.prepare('DROP TRIGGER no_room').run();
    }
    const list = await call(path, { headers: session });
    expect(await list.json()).toMatchObject({ tokens: [{ id, active: true, name: null }] });
  });
});
