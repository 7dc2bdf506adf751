// Replacing a token's secret, and ending the one before it, over HTTP.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Token } from '../token/store.ts';
import {
  bearer,
  call,
  givenOrganisation,
  givenSession,
  givenToken,
  statusOf,
  write,
} from '../test/harness.ts';

type Answer = { token: Token; secret: string | null; effectiveAt: string };
type ProblemBody = { type: string; detail?: string };

async function given(active = true) {
  const organisation = await givenOrganisation();
  const token = await givenToken(organisation, active);
  const session = await givenSession();
  const path = `/api/organisations/${organisation}/tokens/${token.id}`;
  const rotate = (body: unknown, headers: Record<string, string> = {}) =>
    write('POST', `${path}/rotate`, { ...session, ...headers }, body);
  const retire = (body: unknown = {}) => write('POST', `${path}/retire`, session, body);
  const list = async () => {
    const answer = await call(`/api/organisations/${organisation}/tokens`, { headers: session });
    return (await answer.json<{ tokens: Token[] }>()).tokens;
  };
  return { organisation, token, session, path, rotate, retire, list };
}

const ping = (secret: string | null) => call('/v1/ping', { headers: bearer(secret ?? '') });

/** The token but for its last uses, which are written whenever a hub writes its counts. */
const withoutUse = (token: Token): Token => ({
  ...token,
  lastUsedAt: null,
  retired: token.retired.map((each) => ({ ...each, lastUsedAt: null })),
});

async function problemOf(answer: Response) {
  const { type, detail } = await answer.json<ProblemBody>();
  return { status: answer.status, slug: type.split('#')[1], detail };
}

describe('replacing a secret', () => {
  it('answers the new secret once; both work, and answers to calls with the old one say when it ends', async () => {
    const { token, rotate, list } = await given();
    const from = Date.now();
    const answer = await rotate({ retire: '24h' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { token: shown, secret, effectiveAt } = await answer.json<Answer>();
    expect(Date.parse(effectiveAt)).toBeLessThanOrEqual(Date.now());
    expect(shown).toMatchObject({
      id: token.id,
      preview: secret?.slice(0, 5),
      lastUsedAt: null,
      retiring: { preview: token.secret.slice(0, 5), lastUsedAt: null, until: 'time' },
      retired: [],
      exposed: null,
    });
    const retiresAt = shown.retiring?.retiresAt ?? '';
    expect(Date.parse(retiresAt) - from).toBeGreaterThanOrEqual(86_400_000);
    expect(await list()).toEqual([shown]);
    const [old, current] = [await ping(token.secret), await ping(secret)];
    expect([old.status, current.status]).toEqual([200, 200]);
    expect(await old.json()).toEqual(await current.json());
    expect(old.headers.get('token-expires-at')).toBe(retiresAt);
    expect(current.headers.has('token-expires-at')).toBe(false);
    const stored = JSON.stringify([
      (await env.DB.prepare('SELECT * FROM tokens').all()).results,
      (await env.DB.prepare('SELECT * FROM replaced_secrets').all()).results,
    ]);
    expect(stored).not.toContain(secret);
    const row = await (await call('/v1/token', { headers: bearer(token.secret) })).json<Token>();
    expect(row).toMatchObject({ preview: secret?.slice(0, 5), retiring: { retiresAt } });
    expect(row).not.toHaveProperty('retired');
  });

  it('now: the old one is refused everywhere when the answer comes', async () => {
    const { token, rotate, list } = await given();
    expect(await statusOf(token.secret)).toBe(200);
    const { token: shown, secret } = await (await rotate({ retire: 'now' })).json<Answer>();
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 200]);
    expect(shown).toMatchObject({ retiring: null, retired: [{ preview: token.secret.slice(0, 5) }] });
    expect((await list()).map(withoutUse)).toEqual([withoutUse(shown)]);
  });

  it('works for an organisation with ten tokens', async () => {
    const { organisation, rotate, list } = await given();
    for (let count = 1; count < 10; count++) await givenToken(organisation);
    expect((await rotate({ retire: '1h' })).status).toBe(201);
    expect(await list()).toHaveLength(10);
  });

  it('of an inactive token leaves it inactive; after activation both secrets work', async () => {
    const { token, path, session, rotate } = await given(false);
    const { token: shown, secret } = await (await rotate({ retire: '24h' })).json<Answer>();
    expect(shown.active).toBe(false);
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 401]);
    await write('PATCH', path, session, { active: true });
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([200, 200]);
    await write('PATCH', path, session, { active: false });
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 401]);
  });

  it('of a deleted token is refused; a deletion ends both secrets', async () => {
    const { token, path, session, rotate, retire } = await given();
    const { secret } = await (await rotate({ retire: '24h' })).json<Answer>();
    await write('DELETE', path, session);
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 401]);
    for (const answer of [await rotate({ retire: 'now' }), await retire()])
      expect(await problemOf(answer)).toMatchObject({ status: 404, slug: 'token-not-found' });
  });

  it('is done once under one Idempotency-Key, and the secret is never shown again', async () => {
    const { path, session, rotate, list } = await given();
    const key = { 'idempotency-key': crypto.randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const answer = await rotate({ retire: '24h' }, key);
        return { status: answer.status, body: await answer.json<Answer>() };
      }),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201]);
    const secrets = answers.map(({ body }) => body.secret).filter((secret) => secret !== null);
    expect(secrets).toHaveLength(1);
    for (const { body } of answers) {
      expect(body.token.preview).toBe(secrets[0]?.slice(0, 5));
      expect(Date.parse(body.effectiveAt)).toBeGreaterThan(0);
    }
    // Another body, another token, or a creation under the same key is a mistake.
    const other = await givenToken(path.split('/')[3] ?? '');
    const wrong = [
      await rotate({ retire: 'now' }, key),
      await write(
        'POST',
        path.replace(/[^/]+$/, `${other.id}/rotate`),
        { ...session, ...key },
        { retire: '24h' },
      ),
      await write('POST', path.replace(/\/[^/]+$/, ''), { ...session, ...key }, { name: 'A' }),
    ];
    for (const answer of wrong)
      expect(await problemOf(answer)).toMatchObject({
        slug: 'invalid-body',
        detail: 'Header "Idempotency-Key": used before with another body',
      });
    expect(await list()).toHaveLength(2);
  });

  it('twice at once: one succeeds, the other is refused, and nothing is half-done', async () => {
    const { token, rotate, list } = await given();
    const answers = await Promise.all([rotate({ retire: '1h' }), rotate({ retire: 'now' })]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const [won, lost] = answers[0]?.status === 201 ? answers : answers.toReversed();
    expect(lost && (await problemOf(lost))).toMatchObject({
      slug: 'secret-changed',
      detail: 'The value of this token was replaced less than 15 seconds ago',
    });
    const { token: shown, secret } = (await won?.json<Answer>()) ?? {};
    expect(await list()).toEqual([shown]);
    expect(await statusOf(secret ?? null)).toBe(200);
    expect(await statusOf(token.secret)).toBe(shown?.retiring === null ? 401 : 200);
  });

  it.each([
    [{}, 'Field "retire": missing'],
    [{ retire: 'later' }, 'Field "retire": not one of now, when-silent, 1h, 24h, 7d'],
    [{ retire: 3600 }, 'Field "retire": not one of now, when-silent, 1h, 24h, 7d'],
    [{ retire: 'now', at: 'noon' }, 'Field "at": unknown'],
    [{ retire: 'now', preview: 'abc' }, 'Field "preview": not the first five characters of a token'],
  ])('refuses %j, names the field, and changes nothing', async (body, detail) => {
    const { token, rotate, list } = await given();
    const before = await list();
    expect(await problemOf(await rotate(body))).toEqual({ status: 422, slug: 'invalid-body', detail });
    expect(await list()).toEqual(before);
    expect(await statusOf(token.secret)).toBe(200);
  });

  it('replaces only the secret that the member saw', async () => {
    const { token, rotate, retire, list } = await given();
    const before = await list();
    const preview = token.secret.slice(0, 5);
    expect(await problemOf(await rotate({ retire: 'now', preview: '9p000' }))).toEqual({
      status: 409,
      slug: 'secret-changed',
      detail: `Field "preview": the current value begins with ${preview}`,
    });
    expect(await problemOf(await retire({ preview }))).toEqual({
      status: 409,
      slug: 'secret-changed',
      detail: 'Field "preview": no value of this token was replaced',
    });
    expect(await list()).toEqual(before);
    expect((await rotate({ retire: '24h', preview })).status).toBe(201);
    expect(await problemOf(await retire({ preview: '9p000' }))).toEqual({
      status: 409,
      slug: 'secret-changed',
      detail: `Field "preview": the value that was replaced last begins with ${preview}`,
    });
    expect((await retire({ preview })).status).toBe(200);
  });
});

describe('ending the old value', () => {
  it('answers when the secret is refused everywhere, and a repeat answers the same', async () => {
    const { token, rotate, retire, list } = await given();
    const { secret } = await (await rotate({ retire: 'when-silent' })).json<Answer>();
    expect(await statusOf(token.secret)).toBe(200);
    for (let repeat = 0; repeat < 2; repeat++) {
      const answer = await retire();
      expect(answer.status).toBe(200);
      const { token: shown, effectiveAt } = await answer.json<Answer>();
      expect(Date.parse(effectiveAt)).toBeLessThanOrEqual(Date.now());
      expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 200]);
      expect((await list()).map(withoutUse)).toEqual([withoutUse(shown)]);
      expect(shown).toMatchObject({ retiring: null, retired: [{ preview: token.secret.slice(0, 5) }] });
    }
  });

  it('is permanent: switching the token off and on, or changing the plan, does not bring the secret back', async () => {
    const { token, path, session, rotate, retire } = await given();
    const { secret } = await (await rotate({ retire: '24h' })).json<Answer>();
    await retire();
    for (const active of [false, true]) await write('PATCH', path, session, { active });
    expect([await statusOf(token.secret), await statusOf(secret)]).toEqual([401, 200]);
  });

  it('works when the changes of the day are used up', async () => {
    const { organisation, rotate, retire, token } = await given();
    await rotate({ retire: '24h' });
    await env.DB.prepare("UPDATE daily_counts SET count = 500 WHERE subject = ? AND kind = 'change'")
      .bind(organisation)
      .run();
    expect((await rotate({ retire: 'now' })).status).toBe(429);
    expect((await retire()).status).toBe(200);
    expect(await statusOf(token.secret)).toBe(401);
  });
});

it('a member who asks to replace or end a secret of a token that is not theirs is recorded', async () => {
  const { organisation, session } = await given();
  const ids = [crypto.randomUUID(), crypto.randomUUID()];
  for (const [index, what] of ['rotate', 'retire'].entries()) {
    const path = `/api/organisations/${organisation}/tokens/${ids[index]}/${what}`;
    const body = what === 'rotate' ? { retire: 'now' } : {};
    expect((await write('POST', path, session, body)).status).toBe(404);
  }
  await expect
    .poll(async () => {
      const { results } = await env.DB.prepare(
        "SELECT token_id FROM events WHERE organisation_id = ? AND action = 'access.refused' ORDER BY id",
      )
        .bind(organisation)
        .all<{ token_id: string }>();
      return results.map((row) => row.token_id).toSorted();
    })
    .toEqual(ids.toSorted());
});
