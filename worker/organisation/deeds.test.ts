// What a change of an organisation by the platform costs, and what verification is told of it.
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import { insertToken } from '../test/rows.ts';
import { deleteOrganisation, putOrganisations } from './deeds.ts';
import { readRegistered } from './register.ts';
import type { Publish } from './store.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const effectiveAt = '2026-01-01T00:00:02.000Z';

async function given() {
  const db = await openDeployment(env).openDatabase();
  const id = `org-${crypto.randomUUID()}`;
  const published: string[][] = [];
  const publish: Publish = async ({ hashes }) => {
    published.push(hashes);
    return { effectiveAt };
  };
  const put = async (plan: 'pro' | 'enterprise', at: number) => {
    const cause = {
      actor: 'operator',
      requestId: 'r',
      ip: null,
      userAgent: null,
      at: new Date(at).toISOString(),
    };
    return putOrganisations(db, publish, [{ id, name: id, plan }], cause);
  };
  return { db, id, published, publish, put };
}

it('an organisation without tokens has nothing that verification must learn', async () => {
  const { put, published } = await given();
  expect((await put('enterprise', START)).outcomes).toMatchObject([{ outcome: 'created' }]);
  expect(published).toEqual([]);
});

it('a plan is told again for ten minutes, and costs nothing afterwards', async () => {
  const { db, id, put, published } = await given();
  await put('enterprise', START);
  const { hash } = await insertToken(db, id);
  // The first answer may be lost: it is told once more up to the last moment.
  expect(await put('enterprise', START + 10 * MINUTE)).toMatchObject({
    outcomes: [{ outcome: 'unchanged' }],
    effectiveAt,
  });
  expect(published).toEqual([[hash]]);
  expect((await put('enterprise', START + 10 * MINUTE + 1)).outcomes).toMatchObject([
    { outcome: 'unchanged' },
  ]);
  expect(published).toEqual([[hash]]);
});

it('a deletion is told to verification with the hashes of all tokens, and again when it is repeated', async () => {
  const { db, id, put, published, publish } = await given();
  await put('enterprise', START);
  const { hash } = await insertToken(db, id);
  const cause = {
    actor: 'operator',
    requestId: 'r',
    ip: null,
    userAgent: null,
    at: new Date(START).toISOString(),
  };
  for (let count = 0; count < 2; count++)
    expect(await deleteOrganisation(db, publish, id, cause)).toEqual({ effectiveAt });
  expect(published).toEqual([[hash], []]);
  expect(await readRegistered(db, id)).toBeNull();
});
