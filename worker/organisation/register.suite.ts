// Organisations and members as the platform keeps them. Run on every kind of database.
import { asc, eq, inArray } from 'drizzle-orm';
import { beforeAll, expect, it } from 'vitest';
import type { Cause } from '../activity/events.ts';
import { listEvents, listPeople } from '../activity/store.ts';
import type { Db } from '../database.ts';
import { sha256Hex } from '../random.ts';
import { insertToken } from '../test/rows.ts';
import { changes, events, members, organisations, sessions, tokens } from '../tables.ts';
import { addMember, listMembers, removeMember } from './members.ts';
import { removeOrganisation, listOrganisations, putOrganisation, readRegistered } from './register.ts';
import { listOrganisationsOf, readAccess } from './store.ts';

const cause: Cause = {
  actor: 'operator',
  requestId: 'r',
  ip: null,
  userAgent: null,
  at: '2026-01-01T00:00:00.000Z',
};

/** `open` is called before the first test. */
export function describeOrganisations(open: () => Promise<Db>): void {
  let db: Db;
  beforeAll(async () => {
    db = await open();
  });

  const newId = (): string => `org-${crypto.randomUUID()}`;
  const put = (id: string, plan: 'pro' | 'enterprise', version?: number) =>
    putOrganisation(db, { id, name: id, plan, ...(version === undefined ? {} : { version }) }, cause);
  const actionsOf = async (id: string): Promise<string[]> => {
    const rows = await db
      .select({ action: events.action })
      .from(events)
      .where(eq(events.organisationId, id))
      .orderBy(asc(events.id));
    return rows.map(({ action }) => action);
  };
  const givenSession = (hash: string, email: string) =>
    db
      .insert(sessions)
      .values({ hash, id: hash, email, method: 'link', createdAt: 1, seenAt: 1, expiresAt: 2 });

  /** Which of these have a session, by address. */
  const sessionsOf = async (emails: string[]): Promise<string[]> => {
    const rows = await db
      .select({ email: sessions.email })
      .from(sessions)
      .where(inArray(sessions.email, emails));
    return rows.map(({ email }) => email).toSorted();
  };

  it('creates once, changes the plan with a change for every token, and never goes back a version', async () => {
    const id = newId();
    expect(await put(id, 'enterprise', 1)).toMatchObject({ ok: true, outcome: 'created', hashes: [] });
    // The same again is no event.
    expect(await put(id, 'enterprise', 1)).toMatchObject({ ok: true });
    const made = [await insertToken(db, id), await insertToken(db, id)];
    const downgraded = await put(id, 'pro', 3);
    expect(downgraded).toMatchObject({
      ok: true,
      outcome: 'changed',
      standing: { organisation: { plan: 'pro', version: 3 } },
    });
    expect(downgraded.ok && downgraded.hashes.toSorted()).toEqual(made.map(({ hash }) => hash).toSorted());
    expect(await put(id, 'enterprise', 2)).toEqual({ ok: false, reason: 'stale-version', version: 3 });
    expect(await readRegistered(db, id)).toMatchObject({ plan: 'pro', tokens: { active: 2, total: 2 } });
    expect(await actionsOf(id)).toEqual(['organisation.created', 'plan.changed', 'plan.change-ignored']);
  });

  it('records a late billing event only with its own organisation', async () => {
    const [id, other] = [newId(), newId()];
    await put(id, 'enterprise', 3);
    await put(other, 'enterprise', 9);
    expect(await put(id, 'pro', 2)).toEqual({ ok: false, reason: 'stale-version', version: 3 });
    const renamed = await putOrganisation(db, { id, name: 'Late', plan: 'enterprise', version: 1 }, cause);
    expect(renamed).toEqual({ ok: false, reason: 'stale-version', version: 3 });
    expect(await actionsOf(id)).toEqual([
      'organisation.created',
      'plan.change-ignored',
      'plan.change-ignored',
    ]);
    expect(await actionsOf(other)).toEqual(['organisation.created']);
  });

  it('lists all organisations of a member, however many, and all of them to the operator in pages', async () => {
    const [prefix, createdAt] = [newId(), new Date(0).toISOString()];
    const email = `${prefix}@example.com`;
    const ids = Array.from({ length: 620 }, (_, index) => `${prefix}-${1000 + index}`);
    // D1 binds at most a hundred values in a statement.
    for (let start = 0; start < ids.length; start += 20) {
      const some = ids.slice(start, start + 20);
      await db.batch([
        db
          .insert(organisations)
          .values(some.map((id) => ({ id, name: id, plan: 'pro' as const, version: null, createdAt }))),
        db.insert(members).values(some.map((organisationId) => ({ email, organisationId, createdAt }))),
      ]);
    }
    expect((await listOrganisationsOf(db, email)).map(({ id }) => id)).toEqual(ids);
    const idsOf = (page: Awaited<ReturnType<typeof listOrganisations>>) =>
      page.organisations.map(({ id }) => id);
    const first = await listOrganisations(db, { after: prefix });
    expect(idsOf(first)).toEqual(ids.slice(0, 100));
    expect(first.next).toBe(ids[99]);
    expect(idsOf(await listOrganisations(db, { after: first.next ?? '' }))).toEqual(ids.slice(100, 200));
    // No id and no time begins with it.
    expect(await listOrganisations(db, { after: '~' })).toEqual({ organisations: [], next: null });
    expect(await listOrganisations(db, { since: '~' })).toEqual({ organisations: [], next: null });
  });

  it('lists organisations of one name by their ids', async () => {
    const [one = '', two = ''] = [newId(), newId()].toSorted();
    const email = `${one}@example.com`;
    for (const id of [two, one]) {
      await putOrganisation(db, { id, name: 'Same', plan: 'pro' }, cause);
      await addMember(db, id, email, cause);
    }
    expect((await listOrganisationsOf(db, email)).map(({ id }) => id)).toEqual([one, two]);
  });

  it('lists the members of an organisation by address, in pages', async () => {
    const [id, other] = [newId(), newId()];
    await put(id, 'enterprise');
    await put(other, 'enterprise');
    await addMember(db, other, 'm050-other@example.com', cause);
    const emails = Array.from({ length: 103 }, (_, n) => `m${String(n).padStart(3, '0')}@example.com`);
    const createdAt = cause.at;
    // Not in the order of their addresses.
    for (const some of [emails.slice(60), emails.slice(20, 60), emails.slice(0, 20)]) {
      for (const email of some) await db.insert(members).values({ email, organisationId: id, createdAt });
    }
    const first = await listMembers(db, id);
    expect(first.ok && first.members.map(({ email }) => email)).toEqual(emails.slice(0, 100));
    expect(first).toMatchObject({ next: emails[99] });
    const second = await listMembers(db, id, emails[99]);
    expect(second).toMatchObject({ next: null });
    expect(second.ok && second.members.map(({ email }) => email)).toEqual(emails.slice(100));
    expect(await listMembers(db, newId())).toEqual({ ok: false, reason: 'organisation-not-found' });
  });

  it('adds and removes a member once, and ends the sessions of one who belongs to no other', async () => {
    const [one, two] = [newId(), newId()];
    const email = `${one}@example.com`;
    await put(one, 'enterprise');
    await put(two, 'pro');
    expect(await addMember(db, one, email, cause)).toMatchObject({ ok: true, added: true });
    expect(await addMember(db, one, email, cause)).toMatchObject({ ok: true, added: false });
    await addMember(db, two, email, cause);
    expect(await addMember(db, 'nowhere', email, cause)).toMatchObject({ ok: false });
    expect((await listOrganisationsOf(db, email)).map(({ id }) => id)).toEqual([one, two].toSorted());
    expect(await readAccess(db, one, email)).toMatchObject({ ok: true });
    expect(await readAccess(db, two, email)).toEqual({ ok: false, reason: 'enterprise-plan-required' });
    await givenSession(one.slice(4).replaceAll('-', '').padEnd(64, '0'), email);
    const mine = eq(sessions.email, email);
    expect(await removeMember(db, one, email, cause)).toEqual({ ok: true });
    expect(await db.select().from(sessions).where(mine)).toHaveLength(1);
    expect(await removeMember(db, two, email, cause)).toEqual({ ok: true });
    expect(await db.select().from(sessions).where(mine)).toEqual([]);
    expect(await listMembers(db, one)).toEqual({ ok: true, members: [], next: null });
    expect(await actionsOf(one)).toEqual(['organisation.created', 'member.added', 'member.removed']);
  });

  it('adds and removes the named member, and does not change others', async () => {
    const [one, two] = [newId(), newId()];
    const [email, colleague, nobody] = ['m', 'c', 'n'].map((name) => `${name}-${one}@example.com`) as [
      string,
      string,
      string,
    ];
    await put(one, 'enterprise');
    await put(two, 'enterprise');
    await addMember(db, one, email, cause);
    // The same address elsewhere, and another address here.
    expect(await addMember(db, two, email, cause)).toMatchObject({ ok: true, added: true });
    expect(await addMember(db, one, colleague, cause)).toMatchObject({
      ok: true,
      added: true,
      member: { email: colleague },
    });
    for (const address of [email, colleague, nobody]) await givenSession(sha256Hex(address), address);
    expect(await removeMember(db, one, colleague, cause)).toEqual({ ok: true });
    const left = await listMembers(db, one);
    expect(left.ok && left.members.map((member) => member.email)).toEqual([email]);
    expect(await readAccess(db, two, email)).toMatchObject({ ok: true });
    expect(await sessionsOf([email, colleague, nobody])).toEqual([email, nobody]);
    expect(await actionsOf(two)).toEqual(['organisation.created', 'member.added']);
  });

  it('deletes an organisation and ends the sessions of members who belong to no other, and no other session', async () => {
    const [one, two] = [newId(), newId()];
    const [alone, both, stranger, nobody] = ['a', 'b', 's', 'n'].map(
      (name) => `${name}-${one}@example.com`,
    ) as [string, string, string, string];
    await put(one, 'enterprise');
    await put(two, 'enterprise');
    for (const email of [alone, both]) await addMember(db, one, email, cause);
    for (const email of [both, stranger]) await addMember(db, two, email, cause);
    for (const email of [alone, both, stranger, nobody]) await givenSession(sha256Hex(email), email);
    await insertToken(db, two);
    await removeOrganisation(db, one, cause);
    expect(await sessionsOf([alone, both, stranger, nobody])).toEqual([both, nobody, stranger]);
    expect(await readRegistered(db, two)).toMatchObject({ tokens: { total: 1 } });
    expect(await actionsOf(two)).toEqual(['organisation.created', 'member.added', 'member.added']);
  });

  it('deletes with members and tokens, writes a change for each token, and keeps the events', async () => {
    const id = newId();
    await put(id, 'enterprise');
    await addMember(db, id, 'owner@example.com', cause);
    const { hash } = await insertToken(db, id);
    const deleted = await removeOrganisation(db, id, cause);
    expect(deleted.hashes).toEqual([hash]);
    const [change] = await db.select().from(changes).where(eq(changes.seq, deleted.head.seq));
    expect(change?.tokenHash).toBe(hash);
    expect(change?.nonce).toBe(deleted.head.nonce);
    expect(await db.select().from(tokens).where(eq(tokens.organisationId, id))).toEqual([]);
    expect(await db.select().from(members).where(eq(members.organisationId, id))).toEqual([]);
    expect(await readRegistered(db, id)).toBeNull();
    expect((await actionsOf(id)).slice(-2)).toEqual(['token.deleted', 'organisation.deleted']);
    expect((await removeOrganisation(db, id, cause)).hashes).toEqual([]);
  });

  it('pages organisations by id and events by age', async () => {
    const id = newId();
    await put(id, 'enterprise');
    for (let count = 0; count < 3; count++) await put(id, count % 2 === 0 ? 'pro' : 'enterprise');
    const first = await listEvents(db, id, {}, 3);
    expect(first.events.map(({ detail }) => detail)).toEqual([
      'enterprise → pro',
      'pro → enterprise',
      'enterprise → pro',
    ]);
    expect(await listPeople(db, id)).toEqual({ people: ['operator'], more: false });
    // A filter leaves out rows before the page is counted.
    const created = { action: 'organisation.created' };
    expect(await listEvents(db, id, created, 1)).toMatchObject({ events: [created], next: null });
    const rest = await listEvents(db, id, { before: Number(first.next), action: 'organisation.created' }, 3);
    expect(rest).toMatchObject({ events: [{ actor: 'operator' }], next: null });
    expect((await listOrganisations(db, { after: id.slice(0, -1) })).organisations[0]?.id).toBe(id);
  });

  it('no statement changes or removes an event', async () => {
    const refusal = { cause: { message: expect.stringContaining('events are append-only') as string } };
    await expect(db.delete(events).execute()).rejects.toMatchObject(refusal);
    await expect(db.update(events).set({ actor: 'x' }).execute()).rejects.toMatchObject(refusal);
  });
}
