import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { Token } from '../token/store.ts';
import {
  actionsOf,
  bearer,
  call,
  callWith,
  givenOrganisation,
  givenSession,
  givenToken,
  slugOf,
  write,
  writing,
} from '../test/harness.ts';

type Created = { token: Token; secret: string | null };

async function countTokens(organisationId: string): Promise<number> {
  const row = await env.DB.prepare('SELECT count(*) AS n FROM tokens WHERE organisation_id = ?')
    .bind(organisationId)
    .first<{ n: number }>();
  return row?.n ?? -1;
}

describe('creating a token', () => {
  it('answers the whole secret once, stores only its hash, and the row is active', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const answer = await write('POST', `/api/organisations/${organisation}/tokens`, session, {
      name: 'Website',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { token, secret } = await answer.json<Created>();
    expect(answer.headers.get('location')).toBe(`/api/organisations/${organisation}/tokens/${token.id}`);
    expect(token).toMatchObject({
      name: 'Website',
      active: true,
      createdBy: 'owner@example.com',
      lastUsedAt: null,
      preview: secret?.slice(0, 5),
    });
    const ping = await call('/v1/ping', { headers: bearer(secret ?? '') });
    expect(await ping.json()).toEqual({ status: 'ok', organisationId: organisation, tokenId: token.id });

    const list = await call(`/api/organisations/${organisation}/tokens`, { headers: session });
    expect(await list.json()).toEqual({ tokens: [token], limit: 10 });
    const dump = JSON.stringify((await env.DB.prepare('SELECT * FROM tokens').all()).results);
    expect(dump).not.toContain(secret);
    expect(await actionsOf(organisation)).toEqual(['token.created']);
  });

  it('makes exactly ten tokens of 60 parallel creates', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const answers = await Promise.all(
      Array.from({ length: 60 }, () =>
        write('POST', `/api/organisations/${organisation}/tokens`, session, {}),
      ),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(10);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(50);
    expect(await countTokens(organisation)).toBe(10);
  });

  it('draws the preview again when the organisation has it already', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const real = crypto.getRandomValues.bind(crypto);
    const drawn: Uint8Array[] = [];
    // The second secret begins with the very bytes of the first.
    const spy = vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
      real(bytes);
      if (!(bytes instanceof Uint8Array)) return bytes;
      // No byte that a fair digit would have to draw again: two draws make a secret.
      bytes.set(bytes.map((byte) => byte % 248));
      drawn.push(bytes.slice());
      if (drawn.length === 3) bytes.set(drawn[0] ?? []);
      return bytes;
    });
    try {
      const previews: string[] = [];
      for (let count = 0; count < 2; count++) {
        const answer = await write('POST', `/api/organisations/${organisation}/tokens`, session, {});
        previews.push((await answer.json<Created>()).token.preview);
      }
      expect(previews[0]).not.toBe(previews[1]);
      // Three secrets of two draws each, for two tokens.
      expect(drawn).toHaveLength(6);
    } finally {
      spy.mockRestore();
    }
    expect(await actionsOf(organisation)).toEqual(['token.created', 'token.created']);
  });

  it('refuses an eleventh token, whether the ten are active or not, and records the refusal', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    for (let count = 0; count < 10; count++) await givenToken(organisation, count % 2 === 0);
    const answer = await write('POST', `/api/organisations/${organisation}/tokens`, session, {});
    expect(answer.status).toBe(409);
    expect(await slugOf(answer)).toBe('token-limit-reached');
    expect(await actionsOf(organisation)).toEqual(['token.limit-refused']);
    await expect(givenToken(organisation)).rejects.toThrow('token-limit-reached');
  });

  it('makes one token of a repeated Idempotency-Key and never shows the secret again', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const headers = { ...session, 'idempotency-key': crypto.randomUUID() };
    const path = `/api/organisations/${organisation}/tokens`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = await write('POST', path, headers, { name: 'One' });
        return { status: answer.status, body: await answer.json<Created>() };
      }),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 200 && body.secret === null)).toHaveLength(7);
    expect(new Set(answers.map(({ body }) => body.token.id)).size).toBe(1);
    expect(await countTokens(organisation)).toBe(1);
    expect((await write('POST', path, headers, { name: 'Two' })).status).toBe(422);
  });

  it('treats a body with the same meaning as a repeat under an Idempotency-Key', async () => {
    const path = `/api/organisations/${await givenOrganisation()}/tokens`;
    const headers = { ...(await givenSession()), 'idempotency-key': crypto.randomUUID() };
    expect((await write('POST', path, headers, {})).status).toBe(201);
    expect((await write('POST', path, headers, { name: null })).status).toBe(200);
  });

  it('says that the token of a repeated Idempotency-Key was deleted, and makes no other token', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const headers = { ...session, 'idempotency-key': crypto.randomUUID() };
    const path = `/api/organisations/${organisation}/tokens`;
    const { token } = await (await write('POST', path, headers, {})).json<Created>();
    await write('DELETE', `${path}/${token.id}`, session);
    const repeat = await write('POST', path, headers, {});
    expect(repeat.status).toBe(404);
    expect(await repeat.json()).toMatchObject({ detail: 'The token of this Idempotency-Key was deleted' });
    expect(await countTokens(organisation)).toBe(0);
  });

  it('answers a repeated Idempotency-Key also when the organisation now has ten tokens', async () => {
    const organisation = await givenOrganisation();
    const headers = { ...(await givenSession()), 'idempotency-key': crypto.randomUUID() };
    const path = `/api/organisations/${organisation}/tokens`;
    const { token } = await (await write('POST', path, headers, {})).json<Created>();
    for (let count = 0; count < 9; count++) await givenToken(organisation);
    const repeat = await write('POST', path, headers, {});
    expect(repeat.status).toBe(200);
    expect(await repeat.json()).toEqual({ token, secret: null });
    expect(await actionsOf(organisation)).toEqual(['token.created']);
  });

  it('does not use up an Idempotency-Key when it refuses', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const headers = { ...session, 'idempotency-key': crypto.randomUUID() };
    const path = `/api/organisations/${organisation}/tokens`;
    const { id } = await givenToken(organisation);
    for (let count = 0; count < 9; count++) await givenToken(organisation);
    expect((await write('POST', path, headers, {})).status).toBe(409);
    await write('DELETE', `${path}/${id}`, session);
    expect((await write('POST', path, headers, {})).status).toBe(201);
  });

  it.each(['', 'has space', 'x'.repeat(256)])('refuses the Idempotency-Key "%s"', async (key) => {
    const organisation = await givenOrganisation();
    const headers = { ...(await givenSession()), 'idempotency-key': key };
    const answer = await write('POST', `/api/organisations/${organisation}/tokens`, headers, {});
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      detail: 'Header "Idempotency-Key": 1 to 255 visible ASCII characters',
    });
    expect(await countTokens(organisation)).toBe(0);
  });

  it('makes no token for an organisation whose plan changes during the create', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const path = `/api/organisations/${organisation}/tokens`;
    const downgrade = env.DB.prepare("UPDATE organisations SET plan = 'pro' WHERE id = ?").bind(organisation);
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => write('POST', path, session, {})),
      downgrade.run().then(() => write('POST', path, session, {})),
      ...Array.from({ length: 4 }, () => write('POST', path, session, {})),
    ]);
    const made = answers.filter(({ status }) => status === 201).length;
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(answers.length - made);
    expect(answers[4]?.status).toBe(403);
    expect(await countTokens(organisation)).toBe(made);
    expect(await actionsOf(organisation)).toEqual(Array<string>(made).fill('token.created'));
  });

  it('is decided in the statement: a downgrade between the check and the batch is seen', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const DB = new Proxy(env.DB, {
      get(database, name) {
        const value: unknown = Reflect.get(database, name);
        if (name !== 'batch') return typeof value === 'function' ? value.bind(database) : value;
        return async (statements: D1PreparedStatement[]) => {
          await database
            .prepare("UPDATE organisations SET plan = 'pro' WHERE id = ?")
            .bind(organisation)
            .run();
          return database.batch(statements);
        };
      },
    });
    const path = `/api/organisations/${organisation}/tokens`;
    const answer = await callWith({ DB }, path, writing('POST', session, {}));
    expect(answer.status).toBe(403);
    expect(await countTokens(organisation)).toBe(0);
    expect(await actionsOf(organisation)).toEqual([]);
  });

  it('uses an Idempotency-Key for one organisation and one member only', async () => {
    const emails = ['owner@example.com', 'member@example.com'];
    const [a, b] = [
      await givenOrganisation('enterprise', emails),
      await givenOrganisation('enterprise', emails),
    ];
    const [owner, member] = [await givenSession(), await givenSession('member@example.com')];
    const key = { 'idempotency-key': 'same' };
    for (const [organisation, session] of [
      [a, owner],
      [b, owner],
      [a, member],
    ] as const) {
      const answer = await write(
        'POST',
        `/api/organisations/${organisation}/tokens`,
        { ...session, ...key },
        {},
      );
      expect(answer.status).toBe(201);
    }
  });
});

describe('changing a token', () => {
  it('deactivates and says since when, refuses its calls, and activates the same secret again', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id, secret } = await givenToken(organisation);
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    for (const [active, status] of [
      [false, 401],
      [true, 200],
    ] as const) {
      const answer = await write('PATCH', path, session, { active });
      expect(answer.status).toBe(200);
      const body = await answer.json<{ token: Token; effectiveAt: string }>();
      expect(body.token.active).toBe(active);
      expect(new Date(body.effectiveAt).toISOString()).toBe(body.effectiveAt);
      expect((await call('/v1/ping', { headers: bearer(secret) })).status).toBe(status);
    }
    expect(await actionsOf(organisation)).toEqual(['token.deactivated', 'token.activated']);
  });

  it('records nothing when nothing changed', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id } = await givenToken(organisation);
    await write('PATCH', `/api/organisations/${organisation}/tokens/${id}`, session, {
      active: true,
      name: null,
    });
    expect(await actionsOf(organisation)).toEqual([]);
  });

  it('needs at least one field', async () => {
    const organisation = await givenOrganisation();
    const { id } = await givenToken(organisation);
    const answer = await write(
      'PATCH',
      `/api/organisations/${organisation}/tokens/${id}`,
      await givenSession(),
      {},
    );
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      detail: 'One field is needed: active, name, expiresAt, access, paths, networks, origins',
    });
  });

  it('ends in one state however fast the switch is clicked, with one event for each real change', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id } = await givenToken(organisation);
    const path = `/api/organisations/${organisation}/tokens`;
    await Promise.all(
      Array.from({ length: 12 }, (_, click) =>
        write('PATCH', `${path}/${id}`, session, { active: click % 2 === 1 }),
      ),
    );
    const { tokens } = await (await call(path, { headers: session })).json<{ tokens: Token[] }>();
    const moves = await actionsOf(organisation);
    expect(moves).toEqual(
      moves.map((_, index) => (index % 2 === 0 ? 'token.deactivated' : 'token.activated')),
    );
    expect(tokens[0]?.active).toBe(moves.length % 2 === 0);
  });

  it('is refused by the database when a statement would change the identity of a token', async () => {
    const organisation = await givenOrganisation();
    const other = await givenOrganisation();
    const { id } = await givenToken(organisation);
    for (const set of [`organisation_id = '${other}'`, `hash = '${'0'.repeat(64)}'`, "created_by = 'x'"]) {
      const statement = env.DB.prepare(`UPDATE tokens SET ${set} WHERE id = ?`).bind(id);
      await expect(statement.run()).rejects.toThrow('a token keeps its identity');
    }
    // REPLACE would delete the row that has the same value, without a row in `changes`.
    const row = await env.DB.prepare('SELECT id, hash, preview FROM tokens WHERE id = ?').bind(id).first();
    for (const same of ['id', 'hash', 'preview']) {
      const fresh = { id: crypto.randomUUID(), hash: 'f'.repeat(64), preview: '9pzzz' };
      const taken = { ...fresh, [same]: row?.[same] };
      const statement = env.DB.prepare(
        `REPLACE INTO tokens (id, organisation_id, hash, preview, created_by, created_at) VALUES (?, ?, ?, ?, 'x', 'x')`,
      ).bind(taken.id, organisation, taken.hash, taken.preview);
      await expect(statement.run()).rejects.toThrow('a token keeps its identity');
    }
  });

  it('renames, and removes the name again', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id } = await givenToken(organisation);
    for (const name of ['Partner app', null]) {
      const answer = await write('PATCH', `/api/organisations/${organisation}/tokens/${id}`, session, {
        name,
      });
      expect((await answer.json<{ token: Token }>()).token.name).toBe(name);
    }
    expect(await actionsOf(organisation)).toEqual(['token.renamed', 'token.renamed']);
  });

  it('deletes for good', async () => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const { id, secret } = await givenToken(organisation);
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    const answer = await write('DELETE', path, session);
    expect(await answer.json()).toMatchObject({ deleted: id });
    expect((await call('/v1/ping', { headers: bearer(secret) })).status).toBe(401);
    expect(await slugOf(await write('DELETE', path, session))).toBe('token-not-found');
    expect(await actionsOf(organisation)).toEqual(['token.deleted']);
  });
});

describe('who may', () => {
  type Verb = readonly [method: string, path: string, body: object | undefined];
  const patch: Verb = ['PATCH', 'tokens/:token', { active: false }];
  const remove: Verb = ['DELETE', 'tokens/:token', undefined];
  const verbs: Verb[] = [
    ['GET', 'tokens', undefined],
    ['POST', 'tokens', {}],
    patch,
    remove,
    ['POST', 'tokens/pause', undefined],
    ['POST', 'tokens/resume', undefined],
    ['POST', 'tokens/:token/rotate', { retire: 'now' }],
    ['POST', 'tokens/:token/retire', {}],
    ['GET', 'tokens/:token/calls', undefined],
    ['GET', 'still-calling', undefined],
    ['GET', 'activity', undefined],
    ['GET', 'activity.csv', undefined],
    ['GET', 'activity.jsonl', undefined],
    ['GET', 'activity/people', undefined],
    ['GET', 'usage', undefined],
  ];

  async function attempt(verb: Verb, session: HeadersInit, organisation: string, token: string) {
    const [method, path, body] = verb;
    const url = `/api/organisations/${organisation}/${path.replace(':token', token)}`;
    return method === 'GET' ? call(url, { headers: session }) : write(method, url, session, body);
  }

  it.each(verbs)('answers a stranger’s %s %s as if the organisation did not exist', async (...verb) => {
    const theirs = await givenOrganisation('enterprise', ['other@example.com']);
    const { id } = await givenToken(theirs);
    const session = await givenSession();
    const answers = [
      await attempt(verb, session, theirs, id),
      await attempt(verb, session, 'no-such-organisation', id),
    ];
    const bodies = await Promise.all(
      answers.map(async (answer) => {
        expect(answer.status).toBe(404);
        return (await answer.text()).replace(/"requestId":"[^"]+"/, '');
      }),
    );
    expect(bodies[0]).toBe(bodies[1]);
    expect(bodies[0]).toContain('organisation-not-found');
    expect(await countTokens(theirs)).toBe(1);
    expect(await actionsOf(theirs)).toEqual([]);
  });

  it.each(['trial', 'pay-as-you-go', 'pro'] as const)('refuses every verb on the %s plan', async (plan) => {
    const organisation = await givenOrganisation(plan);
    const { id } = await givenToken(organisation);
    const session = await givenSession();
    for (const verb of verbs) {
      const answer = await attempt(verb, session, organisation, id);
      expect(answer.status).toBe(403);
      expect(await slugOf(answer)).toBe('enterprise-plan-required');
    }
    expect(await actionsOf(organisation)).toEqual([]);
  });

  it.each(verbs)('asks for a sign-in before %s %s', async (...verb) => {
    const organisation = await givenOrganisation();
    const answer = await attempt(verb, {}, organisation, 'x');
    expect(answer.status).toBe(401);
    expect(await slugOf(answer)).toBe('sign-in-required');
  });

  it('never reaches a token of another organisation through the member’s own organisation', async () => {
    const [mine, theirs] = [
      await givenOrganisation(),
      await givenOrganisation('enterprise', ['x@example.com']),
    ];
    const { id, secret } = await givenToken(theirs);
    const session = await givenSession();
    for (const verb of [patch, remove]) {
      const answer = await attempt(verb, { ...session, 'x-organisation-id': theirs }, mine, id);
      expect(await slugOf(answer)).toBe('token-not-found');
    }
    expect((await call('/v1/ping', { headers: bearer(secret) })).status).toBe(200);
  });
});

describe('bad input', () => {
  it.each([
    ['{"name":1}', 'Field "name": not a string'],
    ['{"name":""}', 'Field "name": empty'],
    ['{"name":"\\u3164"}', 'Field "name": empty'],
    ['{"name":"A\\u200d"}', 'Field "name": has a control character'],
    [
      '{"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}',
      'Field "name": longer than 50 characters',
    ],
    ['{"name":"A\\ud800"}', 'Field "name": has half a character'],
    ['{"plan":"enterprise"}', 'Field "plan": unknown'],
    ['{"organisation_id":"b"}', 'Field "organisation_id": unknown'],
    ['{"__proto__":{}}', 'Field "__proto__": unknown'],
    ['{"name":"a","name":"b"}', 'Field "name": given twice'],
    ['[]', 'The body is not a JSON object'],
    ['null', 'The body is not a JSON object'],
    ['{', 'The body is not JSON'],
    ['', 'The body is not JSON'],
  ])('refuses %s and changes nothing', async (body, detail) => {
    const organisation = await givenOrganisation();
    const session = await givenSession();
    const answer = await call(`/api/organisations/${organisation}/tokens`, {
      method: 'POST',
      headers: { ...session, origin: 'http://localhost', 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail });
    expect(await countTokens(organisation)).toBe(0);
  });

  it('refuses an object nested two thousand deep', async () => {
    const organisation = await givenOrganisation();
    const answer = await call(`/api/organisations/${organisation}/tokens`, {
      method: 'POST',
      headers: { ...(await givenSession()), origin: 'http://localhost', 'content-type': 'application/json' },
      body: `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`,
    });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail: 'Field "a": unknown' });
  });

  it('refuses a body over 16 KiB, whatever its Content-Length says', async () => {
    const organisation = await givenOrganisation();
    const answer = await write('POST', `/api/organisations/${organisation}/tokens`, await givenSession(), {
      name: 'x'.repeat(17_000),
    });
    expect(await slugOf(answer)).toBe('payload-too-large');
    expect(answer.status).toBe(413);
  });

  it('answers a wrong method and a wrong path differently', async () => {
    const session = await givenSession();
    const organisation = await givenOrganisation();
    const wrong = await write('PUT', `/api/organisations/${organisation}/tokens`, session, {});
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('HEAD, GET, POST');
    expect((await call('/api/nothing', { headers: session })).status).toBe(404);
  });

  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin', { origin: '' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a sibling site', { 'sec-fetch-site': 'same-site' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['plain text', { 'content-type': 'text/plain' }],
  ])('refuses a write from %s', async (_, headers) => {
    const organisation = await givenOrganisation();
    const answer = await write(
      'POST',
      `/api/organisations/${organisation}/tokens`,
      { ...(await givenSession()), ...headers },
      {},
    );
    expect(answer.status).toBe(403);
    expect(await slugOf(answer)).toBe('cross-site-request');
    expect(await countTokens(organisation)).toBe(0);
  });
});
