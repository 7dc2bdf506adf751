// The commands of the model test: each makes one change by the real routes and in the model, and compares the two.
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Plan } from '../organisation/organisation.ts';
import type { Token } from '../token/store.ts';
import { OPERATOR_SECRET } from './faults.ts';
import { bearer, givenSession } from './harness.ts';
import {
  asMember,
  checkCall,
  checkList,
  everyIsolate,
  givenModel,
  ISOLATES,
  LIMIT,
  livingOf,
  missingAt,
  newIsolate,
  ORGANISATIONS,
  PEOPLE,
  refusalOf,
  send,
  shown,
  shownOf,
  sorted,
} from './model.ts';
import type { Deed, Model, ModelToken, Organisation, Person, Real } from './model.ts';

type Command = fc.AsyncCommand<Model, Real>;
/** The number of executed commands, and of those that were granted. */
export const ran = { executed: 0, granted: 0 };

function command(
  text: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    run: async (model, real) => {
      ran.executed++;
      await run(model, real);
    },
    toString: () => text,
  };
}

/** A command on one of all tokens so far, including deleted ones. It is skipped while there is none. */
function onToken(
  text: string,
  pick: number,
  run: (model: Model, real: Real, token: ModelToken) => Promise<void>,
): Command {
  return command(
    text,
    async (model, real) => {
      const token = model.tokens[pick % model.tokens.length];
      if (token !== undefined) await run(model, real, token);
    },
    (model) => model.tokens.length > 0,
  );
}

type Patch = { active?: boolean; name?: string | null };

async function create(model: Model, real: Real, isolate: number, deed: Deed, name: string | null) {
  const answer = await asMember(real, isolate, deed, 'POST', '', { name });
  const refusal =
    refusalOf(model, deed) ??
    (livingOf(model, deed.at).length < LIMIT ? null : { status: 409, slug: 'token-limit-reached' });
  if (refusal !== null) {
    expect(answer).toMatchObject(refusal);
    return;
  }
  expect(answer.status).toBe(201);
  // The answer to a 201. Later lists and calls would fail with another shape.
  const { token, secret } = answer.body as { token: Token; secret: string };
  const made: ModelToken = {
    id: token.id,
    secret,
    former: null,
    of: deed.at,
    active: true,
    name,
    exposed: null,
    isPausedTogether: false,
    isDeleted: false,
  };
  expect(shown(token)).toEqual(shownOf(made));
  model.tokens.push(made);
  ran.granted++;
  await everyIsolate(model, real, made);
}

async function change(
  model: Model,
  real: Real,
  isolate: number,
  deed: Deed,
  token: ModelToken,
  patch: Patch,
) {
  await everyIsolate(model, real, token);
  const answer = await asMember(real, isolate, deed, 'PATCH', `/${token.id}`, patch);
  const refusal = refusalOf(model, deed) ?? missingAt(token, deed);
  if (refusal === null) {
    apply(token, patch);
    ran.granted++;
  }
  checkToken(answer, refusal, 200, token);
  await everyIsolate(model, real, token);
}

/** What a member's or the operator's change does. */
function apply(token: ModelToken, patch: Patch): void {
  Object.assign(token, patch);
  if (patch.active !== undefined) token.isPausedTogether = false;
  if (patch.active === true) token.exposed = null;
}

function checkToken(
  answer: Awaited<ReturnType<typeof send>>,
  refusal: { status: number; slug: string } | null,
  status: number,
  token: ModelToken,
): void {
  expect(answer).toMatchObject(refusal ?? { status });
  // The shape of a granted answer.
  if (refusal === null) expect(shown(answer.body['token'] as Token)).toEqual(shownOf(token));
}

/** Once for each token: a second time may be refused, because the first one is too recent. */
async function replace(
  model: Model,
  real: Real,
  isolate: number,
  deed: Deed,
  token: ModelToken,
  retire: '24h' | 'now',
) {
  if (token.former !== null) return;
  await everyIsolate(model, real, token);
  const answer = await asMember(real, isolate, deed, 'POST', `/${token.id}/rotate`, { retire });
  const refusal = refusalOf(model, deed) ?? missingAt(token, deed);
  if (refusal === null) {
    token.former = { secret: token.secret, isRetired: retire === 'now' };
    // The shape of a granted answer.
    token.secret = answer.body['secret'] as string;
    if (retire === 'now' && token.exposed !== null) {
      token.active ||= token.exposed.wasActive;
      token.exposed = null;
    }
    ran.granted++;
  }
  checkToken(answer, refusal, 201, token);
  await everyIsolate(model, real, token);
}

/** Switches off all active tokens of an organisation together, or switches exactly those on again. */
async function switchAll(model: Model, real: Real, isolate: number, deed: Deed, active: boolean) {
  const living = livingOf(model, deed.at);
  const askAll = () => Promise.all(living.map((token) => everyIsolate(model, real, token)));
  await askAll();
  const answer = await asMember(real, isolate, deed, 'POST', active ? '/resume' : '/pause');
  const refusal = refusalOf(model, deed);
  expect(answer).toMatchObject(refusal ?? { status: 200 });
  if (refusal === null) {
    const switched = living.filter((token) =>
      active ? token.isPausedTogether && !token.active && token.exposed === null : token.active,
    );
    for (const token of switched) Object.assign(token, { active, isPausedTogether: !active });
    // The shape of a granted answer.
    expect(sorted((answer.body['tokens'] as Token[]).map(shown))).toEqual(sorted(switched.map(shownOf)));
    ran.granted++;
  }
  await askAll();
}

/** Somebody who has seen the newest secret, or the one before it, reports it or sends it in a URL. */
async function expose(
  model: Model,
  real: Real,
  isolate: number,
  token: ModelToken,
  { isFormer, inUrl }: { isFormer: boolean; inUrl: boolean },
) {
  await everyIsolate(model, real, token);
  const former = isFormer ? token.former : null;
  const secret = former?.secret ?? token.secret;
  const client = { 'cf-connecting-ip': crypto.randomUUID() };
  const answer = inUrl
    ? await send(real, isolate, 'GET', `/v1/ping?token=${secret}`, client)
    : await send(real, isolate, 'POST', '/report', client, { tokens: [secret] });
  expect(answer.status).toBe(inUrl ? 401 : 202);
  if (former !== null) former.isRetired = true;
  else if (!token.isDeleted && token.exposed === null) {
    token.exposed = { wasActive: token.active };
    token.active = false;
  }
  // Neither answer promises that the secret is refused everywhere already.
  await answer.settled;
  await everyIsolate(model, real, token);
}

const asOperator = (real: Real, isolate: number, method: string, path: string, body?: object) =>
  send(real, isolate, method, `/operator/organisations/${path}`, bearer(OPERATOR_SECRET), body);

/** The operator pauses an organisation, or ends its pause. */
async function pauseOrganisation(
  model: Model,
  real: Real,
  isolate: number,
  at: Organisation,
  isPaused: boolean,
) {
  const touched = model.tokens.filter(({ of }) => of === at);
  const askAll = () => Promise.all(touched.map((token) => everyIsolate(model, real, token)));
  await askAll();
  const answer = await asOperator(real, isolate, 'POST', `${real.ids[at]}/${isPaused ? 'pause' : 'resume'}`);
  model.paused[at] = isPaused;
  expect(answer.status).toBe(200);
  expect(answer.body['pausedAt'] !== null).toBe(isPaused);
  await askAll();
}

/** The operator switches a token, or deletes it (`active` null), in the organisation of the path. */
async function supportToken(
  model: Model,
  real: Real,
  isolate: number,
  at: Organisation,
  token: ModelToken,
  active: boolean | null,
) {
  await everyIsolate(model, real, token);
  const path = `${real.ids[at]}/tokens/${token.id}`;
  const answer =
    active === null
      ? await asOperator(real, isolate, 'DELETE', path)
      : await asOperator(real, isolate, 'PATCH', path, { active });
  const refusal = missingAt(token, { by: 'stranger', at });
  if (refusal === null && active === null) token.isDeleted = true;
  else if (refusal === null && active !== null) apply(token, { active });
  if (active === null) expect(answer).toMatchObject(refusal ?? { status: 200, body: { deleted: token.id } });
  else checkToken(answer, refusal, 200, token);
  await everyIsolate(model, real, token);
}

async function remove(model: Model, real: Real, isolate: number, deed: Deed, token: ModelToken) {
  await everyIsolate(model, real, token);
  const answer = await asMember(real, isolate, deed, 'DELETE', `/${token.id}`);
  const refusal = refusalOf(model, deed) ?? missingAt(token, deed);
  if (refusal === null) {
    token.isDeleted = true;
    ran.granted++;
  }
  expect(answer).toMatchObject(refusal ?? { status: 200, body: { deleted: token.id } });
  await everyIsolate(model, real, token);
}

async function changePlan(model: Model, real: Real, isolate: number, at: Organisation, plan: Plan) {
  const touched = model.tokens.filter(({ of }) => of === at);
  const askAll = () => Promise.all(touched.map((token) => everyIsolate(model, real, token)));
  await askAll();
  const answer = await asOperator(real, isolate, 'PUT', real.ids[at], { name: at, plan });
  expect(answer).toMatchObject({ status: 200, body: { plan } });
  model.plans[at] = plan;
  await askAll();
}

/** The platform adds or removes a member. A person who returns signs in again; a person without organisations is signed out. */
async function changeMembership(model: Model, real: Real, isolate: number, deed: Deed, isIn: boolean) {
  const { by, at } = deed;
  const path = `${real.ids[at]}/members/${real.addressOf(by)}`;
  const answer = await asOperator(real, isolate, isIn ? 'PUT' : 'DELETE', path);
  const others = model.members[at].filter((member) => member !== by);
  expect(answer.status).toBe(isIn && others.length === model.members[at].length ? 201 : 200);
  model.members[at] = isIn ? [...others, by] : others;
  if (isIn && !model.signedIn.includes(by)) {
    real.sessions[by] = await givenSession(real.addressOf(by));
    model.signedIn = [...model.signedIn, by];
  } else if (!isIn && !ORGANISATIONS.some((place) => model.members[place].includes(by))) {
    model.signedIn = model.signedIn.filter((one) => one !== by);
  }
  await Promise.all(ORGANISATIONS.map((place) => checkList(model, real, isolate, { by, at: place })));
}

const person = fc.constantFrom(...PEOPLE);
const organisation = fc.constantFrom(...ORGANISATIONS);
const isolate = fc.nat({ max: ISOLATES - 1 });
const pick = fc.nat({ max: 1000 });
const anyDeed = fc.record({ by: person, at: organisation });
/** Mostly by a member: a run with only refusals would test little. */
const likelyDeed = fc.oneof(
  { weight: 3, arbitrary: fc.record({ by: fc.constant<Person>('bob'), at: organisation }) },
  { weight: 2, arbitrary: anyDeed },
);
const name = fc.option(fc.constantFrom('Website', 'Kiosk', 'Ænima 票'), { nil: null });
const plan = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Plan>('enterprise') },
  { weight: 2, arbitrary: fc.constantFrom<Plan>('trial', 'pay-as-you-go', 'pro') },
);
const patch: fc.Arbitrary<Patch> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ active: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ name }) },
  { weight: 1, arbitrary: fc.record({ active: fc.boolean(), name }) },
);

const creating = fc
  .tuple(isolate, likelyDeed, name)
  .map(([where, deed, given]) =>
    command(`create(${deed.by}@${deed.at}, ${given})`, (model, real) =>
      create(model, real, where, deed, given),
    ),
  );
const changing = fc
  .tuple(isolate, likelyDeed, pick, patch)
  .map(([where, deed, which, wanted]) =>
    onToken(
      `change(${deed.by}@${deed.at}, ${which}, ${JSON.stringify(wanted)})`,
      which,
      (model, real, token) => change(model, real, where, deed, token, wanted),
    ),
  );
const removing = fc
  .tuple(isolate, likelyDeed, pick)
  .map(([where, deed, which]) =>
    onToken(`remove(${deed.by}@${deed.at}, ${which})`, which, (model, real, token) =>
      remove(model, real, where, deed, token),
    ),
  );
const changingPlan = fc
  .tuple(isolate, organisation, plan)
  .map(([where, at, next]) =>
    command(`plan(${at}, ${next})`, (model, real) => changePlan(model, real, where, at, next)),
  );
const changingMembership = fc
  .tuple(isolate, anyDeed, fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.boolean()))
  .map(([where, deed, isIn]) =>
    command(`membership(${deed.by}@${deed.at}, ${isIn})`, (model, real) =>
      changeMembership(model, real, where, deed, isIn),
    ),
  );
const calling = fc
  .tuple(isolate, pick)
  .map(([where, which]) =>
    onToken(`call(${which}, isolate ${where})`, which, (model, real, token) =>
      checkCall(model, real, where, token),
    ),
  );
const listing = fc
  .tuple(isolate, anyDeed)
  .map(([where, deed]) =>
    command(`list(${deed.by}@${deed.at})`, (model, real) => checkList(model, real, where, deed)),
  );
const replacing = fc
  .tuple(isolate, likelyDeed, pick, fc.constantFrom('24h' as const, 'now' as const))
  .map(([where, deed, which, retire]) =>
    onToken(`replace(${deed.by}@${deed.at}, ${which}, ${retire})`, which, (model, real, token) =>
      replace(model, real, where, deed, token, retire),
    ),
  );
const switchingAll = fc
  .tuple(isolate, likelyDeed, fc.boolean())
  .map(([where, deed, active]) =>
    command(`${active ? 'resume' : 'pause'} all(${deed.by}@${deed.at})`, (model, real) =>
      switchAll(model, real, where, deed, active),
    ),
  );
const exposing = fc
  .tuple(isolate, pick, fc.record({ isFormer: fc.boolean(), inUrl: fc.boolean() }))
  .map(([where, which, how]) =>
    onToken(`expose(${which}, ${JSON.stringify(how)})`, which, (model, real, token) =>
      expose(model, real, where, token, how),
    ),
  );
const pausing = fc
  .tuple(isolate, organisation, fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.boolean()))
  .map(([where, at, isPaused]) =>
    command(`${isPaused ? 'pause' : 'resume'}(${at})`, (model, real) =>
      pauseOrganisation(model, real, where, at, isPaused),
    ),
  );
const supporting = fc
  .tuple(isolate, organisation, pick, fc.option(fc.boolean(), { nil: null }))
  .map(([where, at, which, active]) =>
    onToken(`support(${at}, ${which}, ${active})`, which, (model, real, token) =>
      supportToken(model, real, where, at, token, active),
    ),
  );
const restarting = isolate.map((where) =>
  command(`restart(isolate ${where})`, (_, real) => {
    real.isolates[where] = newIsolate();
    return Promise.resolve();
  }),
);

/** Mostly creates and calls, so that there are tokens to switch and to delete. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...Array.from({ length: 5 }, () => creating),
  ...Array.from({ length: 4 }, () => changing),
  ...Array.from({ length: 6 }, () => calling),
  ...Array.from({ length: 2 }, () => switchingAll),
  ...Array.from({ length: 2 }, () => exposing),
  ...Array.from({ length: 3 }, () => listing),
  removing,
  changingPlan,
  changingMembership,
  replacing,
  pausing,
  supporting,
  restarting,
];

/** Runs the commands with new organisations and people, and checks everything again at the end. */
export async function runCommands(commands: Iterable<Command>): Promise<void> {
  const { model, real } = await givenModel();
  await fc.asyncModelRun(() => ({ model, real }), commands);
  const places = ORGANISATIONS.flatMap((at) => PEOPLE.map((by) => ({ by, at })));
  await Promise.all([
    ...places.map((place) => checkList(model, real, 0, place)),
    ...model.tokens.map((token) => everyIsolate(model, real, token)),
  ]);
}
