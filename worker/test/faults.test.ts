// Each storage call of each mutation fails in turn, in three ways: lost, done without an answer, slow. Each time the
// mutation is done completely or not at all, the answer is a problem or correct, and a repeat completes the mutation.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Env } from '../deployment/env.ts';
import { FAULTS, OPERATOR_SECRET, deploymentWith } from './faults.ts';
import { givenCode, givenOrganisation, givenSession, givenToken, settledAt, writing } from './harness.ts';

type Given = {
  organisation: string;
  email: string;
  token: string;
  secret: string;
  session: { cookie: string; id: string };
  key: string;
  code: string;
};
const BROWSER = 'a browser of its own';
type Request = (given: Given) => [method: string, path: string, body?: object];
type Deed = {
  name: string;
  /** What was done before. */
  given?: Request;
  request: Request;
  /** The status of a repeat when the first call was done although it failed. */
  repeated: number;
};

const tokensPath = (given: Given) => `/api/organisations/${given.organisation}/tokens`;
const organisationPath = (given: Given) => `/operator/organisations/${given.organisation}`;
const deeds: Deed[] = [
  { name: 'create', request: (given) => ['POST', tokensPath(given), { name: 'New' }], repeated: 200 },
  {
    name: 'deactivate',
    request: (given) => ['PATCH', `${tokensPath(given)}/${given.token}`, { active: false }],
    repeated: 200,
  },
  {
    name: 'deactivate and rename',
    request: (given) => ['PATCH', `${tokensPath(given)}/${given.token}`, { active: false, name: 'Paused' }],
    repeated: 200,
  },
  {
    name: 'rename',
    request: (given) => ['PATCH', `${tokensPath(given)}/${given.token}`, { name: 'New' }],
    repeated: 200,
  },
  { name: 'delete', request: (given) => ['DELETE', `${tokensPath(given)}/${given.token}`], repeated: 404 },
  {
    name: 'switch off all tokens together',
    request: (given) => ['POST', `${tokensPath(given)}/pause`],
    repeated: 200,
  },
  {
    name: 'switch on the tokens that were switched off together',
    given: (given) => ['POST', `${tokensPath(given)}/pause`],
    request: (given) => ['POST', `${tokensPath(given)}/resume`],
    repeated: 200,
  },
  {
    name: 'switch on a token that was exposed',
    given: ({ secret }) => ['POST', '/report', { tokens: [secret] }],
    request: (given) => ['PATCH', `${tokensPath(given)}/${given.token}`, { active: true }],
    repeated: 200,
  },
  {
    name: 'replace a secret that was exposed',
    given: ({ secret }) => ['POST', '/report', { tokens: [secret] }],
    request: (given) => ['POST', `${tokensPath(given)}/${given.token}/rotate`, { retire: 'now' }],
    repeated: 200,
  },
  {
    name: 'end a secret that retires',
    given: (given) => ['POST', `${tokensPath(given)}/${given.token}/rotate`, { retire: '24h' }],
    request: (given) => ['POST', `${tokensPath(given)}/${given.token}/retire`, {}],
    repeated: 200,
  },
  {
    name: 'pause an organisation',
    request: (given) => ['POST', `${organisationPath(given)}/pause`],
    repeated: 200,
  },
  {
    name: 'end the pause of an organisation',
    given: (given) => ['POST', `${organisationPath(given)}/pause`],
    request: (given) => ['POST', `${organisationPath(given)}/resume`],
    repeated: 200,
  },
  {
    name: 'deactivate as the operator',
    request: (given) => ['PATCH', `${organisationPath(given)}/tokens/${given.token}`, { active: false }],
    repeated: 200,
  },
  {
    name: 'delete as the operator',
    request: (given) => ['DELETE', `${organisationPath(given)}/tokens/${given.token}`],
    repeated: 404,
  },
  {
    name: 'change the plan and the name of an organisation',
    request: (given) => ['PUT', organisationPath(given), { name: 'New', plan: 'pro', version: 1 }],
    repeated: 200,
  },
  {
    name: 'create an organisation',
    request: ({ key }) => ['PUT', `/operator/organisations/${key}`, { name: 'New', plan: 'pro', version: 1 }],
    repeated: 200,
  },
  { name: 'delete an organisation', request: (given) => ['DELETE', organisationPath(given)], repeated: 200 },
  {
    name: 'add a member',
    request: (given) => ['PUT', `${organisationPath(given)}/members/new.${given.email}`],
    repeated: 200,
  },
  {
    name: 'remove the last member',
    request: (given) => ['DELETE', `${organisationPath(given)}/members/${given.email}`],
    repeated: 200,
  },
  { name: 'sign out', request: () => ['POST', '/api/sign-out'], repeated: 401 },
  {
    name: 'ask for a sign-in link',
    request: ({ email }) => ['POST', '/api/sign-in/link', { email }],
    repeated: 202,
  },
  // When the answer is lost, the person has no cookie and a used code, and must ask for another link.
  { name: 'sign in', request: ({ code }) => ['POST', '/api/sign-in/redeem', { code }], repeated: 401 },
  {
    name: 'end one of the own sessions',
    request: ({ session }) => ['DELETE', `/api/sessions/${session.id}`],
    repeated: 401,
  },
  {
    name: 'sign out everywhere',
    request: () => ['POST', '/api/sessions/sign-out-everywhere'],
    repeated: 401,
  },
];

async function prepare({ given: before }: Deed): Promise<Given> {
  const email = `${crypto.randomUUID()}@example.com`;
  const organisation = await givenOrganisation('enterprise', [email]);
  const { id: token, secret } = await givenToken(organisation);
  const code = await givenCode(email, BROWSER);
  const session = await givenSession(email);
  const id = await env.DB.prepare('SELECT id FROM sessions WHERE email = ?').bind(email).first<string>('id');
  const cookie = `${session.cookie}; local-sign-in=${BROWSER}`;
  const given = {
    organisation,
    email,
    token,
    secret,
    session: { cookie, id: id ?? '' },
    key: crypto.randomUUID(),
    code,
  };
  if (before !== undefined) await send(before, given, deploymentWith(null).env);
  return given;
}

/** The state that a mutation could change, without values that differ between runs. */
async function stateOf(given: Given): Promise<unknown> {
  const of = (sql: string, value: string) => env.DB.prepare(sql).bind(value);
  const results = await env.DB.batch([
    of(
      "SELECT plan, version, paused_at IS NULL AS is_open, iif(name = id, 'old', name) AS name FROM organisations WHERE id = ?",
      given.organisation,
    ),
    of('SELECT name, plan, version FROM organisations WHERE id = ?', given.key),
    of('SELECT action FROM events WHERE organisation_id = ? ORDER BY id', given.key),
    of(
      'SELECT active, name, paused_together_at IS NOT NULL AS is_marked, exposed_by FROM tokens WHERE organisation_id = ? ORDER BY name',
      given.organisation,
    ),
    of(
      'SELECT retired_at IS NOT NULL AS is_retired FROM replaced_secrets WHERE organisation_id = ?',
      given.organisation,
    ),
    of('SELECT count(*) AS members FROM members WHERE organisation_id = ?', given.organisation),
    of('SELECT action FROM events WHERE organisation_id = ? ORDER BY id', given.organisation),
    of('SELECT count(*) AS keys FROM idempotency_keys WHERE organisation_id = ?', given.organisation),
    of('SELECT method, expires_at > 0 AS lives FROM sessions WHERE email = ?', given.email),
    // Whether the old session is there: a sign-in replaces it.
    of('SELECT count(*) AS old FROM sessions WHERE id = ?', given.session.id),
    of('SELECT min(count(*), 2) AS codes FROM sign_ins WHERE email = ?', given.email),
  ]);
  return results.map((result) => result.results);
}

async function send(request: Request, given: Given, deployment: Env): Promise<Response> {
  const [method, path, body] = request(given);
  const headers = path.startsWith('/operator')
    ? { authorization: `Bearer ${OPERATOR_SECRET}` }
    : {
        cookie: given.session.cookie,
        'idempotency-key': given.key,
        // A separate client for the limiters.
        'cf-connecting-ip': given.key,
      };
  return settledAt(deployment, path, writing(method, headers, body));
}

// Each case sends the mutation twice for each of its storage calls, and waits for slow calls.
describe.each(deeds)('when storage fails, to $name', { timeout: 60_000 }, (deed) => {
  it.each(FAULTS)('is all or nothing, and a repeat completes it: a call is %s', async (kind) => {
    const model = await prepare(deed);
    const before = await stateOf(model);
    const clean = deploymentWith(null);
    expect((await send(deed.request, model, clean.env)).ok).toBe(true);
    const after = await stateOf(model);
    expect(after).not.toEqual(before);

    const calls = [...clean.calls];

    const attempts = calls.map(async (call, at) => {
      const given = await prepare(deed);
      const answer = await send(deed.request, given, deploymentWith({ at, kind }).env);
      const state = await stateOf(given);
      const repeat = await send(deed.request, given, clean.env);
      const isDone = isSame(state, after);
      const claims = {
        'nothing was left half done': isDone || isSame(state, before),
        'a good answer is true': isDone || !answer.ok,
        'a bad answer is a problem of ours': answer.ok || (await isOurProblem(answer)),
        'the database alone may fail a change': answer.ok || call.startsWith('D1'),
        'a slow call is waited for': answer.ok || kind !== 'slow',
        'a repeat completes it': isSame(await stateOf(given), after),
        'a repeat is answered rightly': isDone ? repeat.status === deed.repeated : repeat.ok,
      };
      return Object.entries(claims)
        .filter(([, holds]) => !holds)
        .map(([claim]) => `${claim}: call ${at} (${call}), answered ${answer.status}`);
    });
    const wrong = (await Promise.all(attempts)).flat();
    expect(wrong).toEqual([]);
    expect(calls).toContain('D1.batch');
  });
});

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A failure of ours is a 503, never a 401: after a 401 people sign in again and programs discard tokens. */
async function isOurProblem(answer: Response): Promise<boolean> {
  const text = await answer.text();
  return (
    answer.status === 503 &&
    answer.headers.get('retry-after') !== null &&
    answer.headers.get('content-type') === 'application/problem+json' &&
    !/planted|\b(?:select|insert)\b/i.test(text)
  );
}
