// The statements themselves, past the questions that the faces ask first: what they guard must hold also when membership
// or plan change after the question, so no statement may lean on it.
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { openDatabase } from '../database.ts';
import { givenOrganisation, givenToken } from '../test/harness.ts';
import { sha256Hex } from '../random.ts';
import { changeToken, createToken, deleteToken, listTokens, listUsage } from './store.ts';
import type { NewToken, Place } from './store.ts';
import type { TokenHash } from './secret.ts';

const db = openDatabase(env);
const email = 'owner@example.com';
const cause = (): Cause => ({
  actor: email,
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: new Date().toISOString(),
});

function newToken(preview = '9pABC'): NewToken {
  const id = crypto.randomUUID();
  // A SHA-256 in hex, of anything.
  return { id, hash: sha256Hex(id) as TokenHash, preview, name: null };
}

async function leftIn(organisation: string) {
  const [tokens, events] = await env.DB.batch<Record<string, unknown>>([
    env.DB.prepare('SELECT id, active, name FROM tokens WHERE organisation_id = ?').bind(organisation),
    env.DB.prepare('SELECT action FROM events WHERE organisation_id = ?').bind(organisation),
  ]);
  return { tokens: tokens?.results, events: events?.results };
}

describe.each([
  ['an organisation that left Enterprise', 'pro', [email], 'enterprise-plan-required'],
  ['a member who was removed', 'enterprise', ['other@example.com'], 'organisation-not-found'],
] as const)('for %s', (_, plan, emails, reason) => {
  const refused = { ok: false, reason };

  it('no statement shows, makes, changes or deletes anything, or writes an event', async () => {
    const organisation = await givenOrganisation(plan, [...emails]);
    const { id } = await givenToken(organisation);
    await env.DB.prepare('INSERT INTO token_usage (token_id, hour, accepted) VALUES (?, 5, 1)')
      .bind(id)
      .run();
    const place: Place = { organisationId: organisation, email };
    const idempotency = { key: 'k', bodyHash: 'b', now: 1 };
    expect(await listTokens(db, place)).toEqual(refused);
    expect(await listUsage(db, place, 1)).toEqual([]);
    expect(await createToken(db, place, newToken(), cause(), null)).toEqual(refused);
    expect(await createToken(db, place, newToken(), cause(), idempotency)).toEqual(refused);
    expect(await changeToken(db, place, id, { active: false, name: 'New' }, cause())).toEqual(refused);
    expect(await deleteToken(db, place, id, cause())).toEqual(refused);
    expect(await leftIn(organisation)).toEqual({ tokens: [{ id, active: 1, name: null }], events: [] });
  });

  it('a full organisation writes no refusal on record either', async () => {
    const organisation = await givenOrganisation(plan, [...emails]);
    for (let count = 0; count < 10; count++) await givenToken(organisation);
    const place = { organisationId: organisation, email };
    expect(await createToken(db, place, newToken(), cause(), null)).toEqual(refused);
    expect((await leftIn(organisation)).events).toEqual([]);
  });
});

it('a preview that the organisation has already is refused, and free again in another one', async () => {
  const [one, two] = [await givenOrganisation(), await givenOrganisation()];
  const make = (organisationId: string) =>
    createToken(db, { organisationId, email }, newToken(), cause(), null);
  expect((await make(one)).ok).toBe(true);
  expect(await make(one)).toEqual({ ok: false, reason: 'preview-taken' });
  expect((await make(two)).ok).toBe(true);
  expect((await leftIn(one)).events).toEqual([{ action: 'token.created' }]);
});

it('a change of what is there already writes neither an event nor a change for verification', async () => {
  const organisationId = await givenOrganisation();
  const { id } = await givenToken(organisationId);
  const place = { organisationId, email };
  const first = await changeToken(db, place, id, { active: true, name: null }, cause());
  const second = await changeToken(db, place, id, { active: true }, cause());
  expect(first).toEqual(second);
  expect((await leftIn(organisationId)).events).toEqual([]);
});

it('every switch, and the deletion, moves the head of the changes; a name does not', async () => {
  const organisationId = await givenOrganisation();
  const { id } = await givenToken(organisationId);
  const place = { organisationId, email };
  const heads: number[] = [];
  for (const change of [{ name: 'A' }, { active: false }, { name: 'B' }, { active: true, name: 'C' }]) {
    const changed = await changeToken(db, place, id, change, cause());
    heads.push(changed.ok ? changed.seq : -1);
  }
  const deleted = await deleteToken(db, place, id, cause());
  heads.push(deleted.ok ? deleted.seq : -1);
  const start = heads[0] ?? -1;
  expect(heads.map((head) => head - start)).toEqual([0, 1, 1, 2, 3]);
});
