// Files of any length: few statements, and where one file ends, the address of the next.
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { openDeployment } from '../deployment/deployment.ts';
import { counting } from '../test/operate.ts';
import { exportActivity } from './activity-export.ts';

async function givenEvents(count: number): Promise<string> {
  const organisation = `exported-${crypto.randomUUID()}`;
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     INSERT INTO events (at, organisation_id, actor, action, request_id)
     SELECT '2026-01-01T00:00:00.000Z', ?2, 'a@example.com', 'sign-in', i FROM n`,
  )
    .bind(count, organisation)
    .run();
  return organisation;
}
const asIs = <T>(event: T): T => event;
const addressAfter = async (id: string) => `/rest?before=${id}`;
const linesOf = async (file: Response): Promise<string[]> =>
  new TextDecoder()
    .decode(await file.arrayBuffer())
    .trim()
    .split(/\r?\n/);

it('reads 5,000 events with a statement', async () => {
  const organisation = await givenEvents(10_001);
  const { settings, statements } = counting();
  const db = await openDeployment({ ...env, ...settings }).openDatabase();
  const lines = await linesOf(exportActivity(db, organisation, {}, asIs, 'csv', addressAfter));
  // The heading, and no last line: everything is there.
  expect(lines).toHaveLength(10_002);
  expect(new Set(lines).size).toBe(10_002);
  expect(statements).toHaveLength(3);
});

it.each(['csv', 'jsonl'] as const)(
  'ends a file that is full with the address of the rest: %s',
  async (format) => {
    const organisation = await givenEvents(25);
    const db = await openDeployment(env).openDatabase();
    const size = { page: 4, pages: 3 };
    const seen: string[] = [];
    const addresses: string[] = [];
    let before: number | undefined;
    for (;;) {
      const filter = before === undefined ? {} : { before };
      const lines = await linesOf(exportActivity(db, organisation, filter, asIs, format, addressAfter, size));
      // The heading.
      if (format === 'csv') lines.shift();
      const last = lines.at(-1) ?? '';
      const address =
        format === 'csv' ? /^next,([^,]+),{7}$/.exec(last)?.[1] : /^{"next":"(.*)"}$/.exec(last)?.[1];
      if (address !== undefined) lines.pop();
      seen.push(...lines);
      if (address === undefined) break;
      addresses.push(address);
      before = Number(address.split('=')[1]);
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
    expect(addresses).toHaveLength(2);
  },
);
