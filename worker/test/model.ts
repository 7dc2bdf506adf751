// A small model of the product: what three people may do in two organisations that they join and leave, and how to
// ask each of two isolates the same. It checks only answers.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import type { Plan } from '../organisation/organisation.ts';
import type { Token } from '../token/store.ts';
import { OPERATOR_SECRET } from './faults.ts';
import { bearer, givenOrganisation, givenSession, ORIGIN } from './harness.ts';

export const LIMIT = 10;
export const ISOLATES = 2;

export type Organisation = 'a' | 'b';
export type Person = 'alice' | 'bob' | 'stranger';
const MEMBERS = { a: ['alice', 'bob'], b: ['bob'] } satisfies Record<Organisation, Person[]>;
export const PEOPLE: Person[] = ['alice', 'bob', 'stranger'];
export const ORGANISATIONS: Organisation[] = ['a', 'b'];

export type ModelToken = {
  id: string;
  secret: string;
  /** The secret before it, if it was replaced, and whether that one still works. */
  former: { secret: string; isRetired: boolean } | null;
  of: Organisation;
  active: boolean;
  name: string | null;
  /** Marked as exposed. `wasActive`: whether the exposure switched it off. */
  exposed: { wasActive: boolean } | null;
  isPausedTogether: boolean;
  isDeleted: boolean;
};
export type Model = {
  plans: Record<Organisation, Plan>;
  /** Those that the operator has paused. */
  paused: Record<Organisation, boolean>;
  members: Record<Organisation, Person[]>;
  /** People with a valid session: it ends with the last membership. */
  signedIn: Person[];
  tokens: ModelToken[];
};
export type Real = {
  isolates: Env[];
  ids: Record<Organisation, string>;
  sessions: Record<Person, { cookie: string }>;
  addressOf(person: Person): string;
};
/** `settled`: when the work behind the answer is done. */
type Answer = {
  status: number;
  slug: string | null;
  body: Record<string, unknown>;
  settled: Promise<unknown>;
};
export type Deed = { by: Person; at: Organisation };

/**
 * A new `env` is a new isolate for verification: empty memory, no lease. The lease has its real length: a
 * short one would end before a change is answered, and no isolate could ever have an old view.
 */
export function newIsolate(): Env {
  return { ...env, OPERATOR_SECRET, REVOCATION_LEASE_MS: '1000' };
}

export async function givenModel(): Promise<{ model: Model; real: Real }> {
  const run = crypto.randomUUID();
  const address = (person: Person): string => `${person}-${run}@example.com`;
  const [a, b, alice, bob, stranger] = await Promise.all([
    givenOrganisation('enterprise', MEMBERS.a.map(address)),
    givenOrganisation('enterprise', MEMBERS.b.map(address)),
    givenSession(address('alice')),
    givenSession(address('bob')),
    givenSession(address('stranger')),
  ]);
  return {
    model: {
      plans: { a: 'enterprise', b: 'enterprise' },
      paused: { a: false, b: false },
      members: { a: [...MEMBERS.a], b: [...MEMBERS.b] },
      signedIn: [...PEOPLE],
      tokens: [],
    },
    real: {
      isolates: Array.from({ length: ISOLATES }, newIsolate),
      ids: { a, b },
      sessions: { alice, bob, stranger },
      addressOf: address,
    },
  };
}

export async function send(
  real: Real,
  isolate: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  const deployment = real.isolates[isolate];
  if (deployment === undefined) throw new Error(`no isolate ${isolate}`);
  const context = createExecutionContext();
  const answer = await worker.fetch(
    new Request(new URL(path, ORIGIN), {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    deployment,
    context,
  );
  // Every answer here, good or bad, is a JSON object.
  const json = (await answer.json()) as Record<string, unknown>;
  const slug = typeof json['type'] === 'string' ? (json['type'].split('#')[1] ?? null) : null;
  // The answer is read first: it must not depend on work that runs after it.
  const behind = waitOnExecutionContext(context);
  pending.push(behind);
  return { status: answer.status, slug, body: json, settled: behind };
}
const pending: Promise<unknown>[] = [];

export function asMember(
  real: Real,
  isolate: number,
  deed: Deed,
  method: string,
  rest: string,
  body?: object,
) {
  const path = `/api/organisations/${real.ids[deed.at]}/tokens${rest}`;
  return send(real, isolate, method, path, { ...real.sessions[deed.by], origin: ORIGIN }, body);
}

/** The refusal for this person at this organisation; null when they may act. */
export function refusalOf(model: Model, { by, at }: Deed): { status: number; slug: string } | null {
  if (!model.signedIn.includes(by)) return { status: 401, slug: 'sign-in-required' };
  if (!model.members[at].includes(by)) return { status: 404, slug: 'organisation-not-found' };
  return model.plans[at] === 'enterprise' ? null : { status: 403, slug: 'enterprise-plan-required' };
}

/** The refusal when the token is not in the organisation of the path; otherwise null. */
export function missingAt(token: ModelToken, { at }: Deed): { status: number; slug: string } | null {
  return token.of === at && !token.isDeleted ? null : { status: 404, slug: 'token-not-found' };
}

export function livingOf(model: Model, at: Organisation): ModelToken[] {
  return model.tokens.filter((token) => token.of === at && !token.isDeleted);
}

/** A token of the model as answers show it. */
export function shownOf({ id, active, name, exposed, isPausedTogether }: ModelToken) {
  return { id, active, name, isExposed: exposed !== null, isPausedTogether };
}

/** The same of a token in an answer. */
export function shown({ id, active, name, exposed, pausedTogether }: Token) {
  return { id, active, name, isExposed: exposed !== null, isPausedTogether: pausedTogether !== null };
}

/** Tokens in one order, to compare those of an answer with those of the model. */
export function sorted<T extends { id: string }>(tokens: T[]): T[] {
  return tokens.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/**
 * A call with the retries of a client. A 503 means that hub and database did not answer in time. The client calls again
 * after a second, as Retry-After says, at most ten times.
 */
async function ping(real: Real, isolate: number, secret: string): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await send(real, isolate, 'GET', '/v1/ping', bearer(secret));
    if (answer.status !== 503 || attempt === 10) return answer;
    await scheduler.wait(1000);
  }
}

export async function checkCall(model: Model, real: Real, isolate: number, token: ModelToken): Promise<void> {
  const { secret, former } = token;
  await checkSecret(model, real, isolate, token, { secret, isRetired: false });
  if (former !== null) await checkSecret(model, real, isolate, token, former);
}

async function checkSecret(
  model: Model,
  real: Real,
  isolate: number,
  token: ModelToken,
  { secret, isRetired }: { secret: string; isRetired: boolean },
): Promise<void> {
  const answer = await ping(real, isolate, secret);
  const said = { status: answer.status, slug: answer.slug };
  if (token.isDeleted || !token.active || isRetired)
    expect(said).toEqual({ status: 401, slug: 'invalid-token' });
  else if (model.paused[token.of]) expect(said).toEqual({ status: 403, slug: 'organisation-paused' });
  else if (model.plans[token.of] !== 'enterprise') {
    expect(said).toEqual({ status: 403, slug: 'enterprise-plan-required' });
  } else {
    expect(answer).toMatchObject({
      status: 200,
      body: { organisationId: real.ids[token.of], tokenId: token.id },
    });
  }
}

export async function checkList(model: Model, real: Real, isolate: number, deed: Deed): Promise<void> {
  const answer = await asMember(real, isolate, deed, 'GET', '');
  const refusal = refusalOf(model, deed);
  if (refusal !== null) {
    expect(answer).toMatchObject(refusal);
    expect(answer.body).not.toHaveProperty('tokens');
    return;
  }
  expect(answer.status).toBe(200);
  // The shape of a list; the comparison below fails on any other shape.
  const rows = answer.body['tokens'] as Token[];
  expect(sorted(rows.map(shown))).toEqual(sorted(livingOf(model, deed.at).map(shownOf)));
}

/**
 * Calls each isolate. After a change this detects a broken promise. Before a change it makes each isolate remember the
 * token under a new lease; without that, a broken promise could not be seen.
 */
export async function everyIsolate(model: Model, real: Real, token: ModelToken): Promise<void> {
  await Promise.all(real.isolates.map((_, index) => checkCall(model, real, index, token)));
}

/** Waits for the work that runs after the answers. */
export async function settled(): Promise<void> {
  await Promise.all(pending);
}
