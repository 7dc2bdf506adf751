// The commands of the model test: each makes one change by the real routes and in the model, and compares the two.
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Plan } from '../organisation/organisation.ts';
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
  const { token, secret } = answer.body as { token: ModelToken; secret: string };
  expect(shown(token)).toEqual({ id: token.id, active: true, name });
  const made = { id: token.id, secret, of: deed.at, active: true, name, isDeleted: false };
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
    Object.assign(token, patch);
    ran.granted++;
  }
  expect(answer).toMatchObject(refusal ?? { status: 200, body: { token: shown(token) } });
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
  const path = `/operator/organisations/${real.ids[at]}`;
  const answer = await send(real, isolate, 'PUT', path, bearer(OPERATOR_SECRET), { name: at, plan });
  expect(answer).toMatchObject({ status: 200, body: { plan } });
  model.plans[at] = plan;
  await askAll();
}

/** The platform adds or removes a member. A person who returns signs in again; a person without organisations is signed out. */
async function changeMembership(model: Model, real: Real, isolate: number, deed: Deed, isIn: boolean) {
  const { by, at } = deed;
  const path = `/operator/organisations/${real.ids[at]}/members/${real.addressOf(by)}`;
  const answer = await send(real, isolate, isIn ? 'PUT' : 'DELETE', path, bearer(OPERATOR_SECRET));
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
  ...Array.from({ length: 3 }, () => listing),
  removing,
  changingPlan,
  changingMembership,
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
