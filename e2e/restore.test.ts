// All steps of a restore: a deployment, a copy of its database at one instant, later changes, and
// the script of docs/operating/backup.md on the copy.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readMigrations } from '../scripts/migrations.ts';
import { eventsQuery, sql } from '../scripts/restore-plan.ts';
import type { OperatorEvent } from '../worker/activity/store.ts';
import { messageOf } from '../worker/webhook/message.ts';
import { runChild } from './child.ts';
import { ZONE, startDeployment } from './deployment.ts';
import type { Deployment } from './deployment.ts';
import { SETTINGS } from './isolates.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'developer-zone-'));
const file = join(folder, 'events.jsonl');
const [live, restored] = [join(folder, 'live'), join(folder, 'restored')];
type Row = Record<string, string | number | null>;
let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(async () => {
  await deployment?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(script: string, ...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    OPERATOR_SECRET: SETTINGS.OPERATOR_SECRET,
    CI: 'true',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
  };
  const { code, output } = await runChild(process.execPath, [script, ...args], { cwd: root, env });
  if (code !== 0) throw new Error(output);
  return output;
}
const restore = (...args: string[]) => run('scripts/restore.ts', ...args);
const d1 = (state: string, ...args: string[]) =>
  run(
    'node_modules/wrangler/bin/wrangler.js',
    'd1',
    'execute',
    'DB',
    '--local',
    '--persist-to',
    state,
    ...args,
  );

/** The live database as a file of SQL, with its events as `edit` gives them. */
async function copyOfDatabase(name: string, edit: (event: Row) => Row = (event) => event): Promise<string> {
  const db = await deployment.miniflare.getD1Database('DB', ZONE);
  const tables = [
    'organisations',
    'members',
    'tokens',
    'replaced_secrets',
    'expiry_warnings',
    'changes',
    'events',
    'sessions',
  ];
  const rows: string[] = [];
  for (const table of tables) {
    const { results } = await db.prepare(`SELECT * FROM ${table}`).all();
    // Text, numbers and NULL: no table here has another kind.
    for (const row of results as Row[]) {
      const values = Object.values(table === 'events' ? edit(row) : row).map((value) => sql`${value}`);
      rows.push(
        `INSERT OR IGNORE INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')});`,
      );
    }
  }
  // The triggers would count the rows again.
  const triggers = /^CREATE TRIGGER [^]*?END;$/gm;
  const all = [...readMigrations(root).values()].join('\n');
  const drops = [...all.matchAll(/^DROP TRIGGER (\w+);$/gm)].map(([, trigger]) => trigger);
  const text = all.replaceAll(/^DROP TRIGGER \w+;$/gm, '').replaceAll(triggers, '');
  const kinds = new Map(
    [...all.matchAll(triggers)].map(([trigger]) => [/TRIGGER (\w+)/.exec(trigger)?.[1], trigger]),
  );
  expect(drops).toContain('events_stay');
  const path = join(folder, name);
  writeFileSync(path, [text, ...rows, ...kinds.values()].join('\n'));
  return path;
}

// The script and wrangler start a dozen times, which is slow on a busy machine.
const MINUTES_10 = 600_000;

it(
  'ends sessions, repeats later deactivations, deletions and removals, and lists what remains to be done',
  async () => {
    const kept = await deployment.givenToken();
    const paused = await deployment.givenToken();
    const deleted = await deployment.givenToken();
    const lapsed = await deployment.givenToken();
    const gone = await deployment.givenToken();
    const early = await deployment.givenToken();
    const reborn = await deployment.givenToken();
    const resumed = await deployment.givenToken();
    const replaced = await deployment.givenToken();
    const ended = await deployment.givenToken();
    const limited = await deployment.givenToken();
    const widened = await deployment.givenToken();
    const stopped = await deployment.givenToken();
    const together = await deployment.givenToken();
    const leaked = await deployment.givenToken();
    await deployment.write('PATCH', widened.path, { networks: ['203.0.113.0/24'] });
    const warned = await deployment.givenToken();
    await deployment.write('PATCH', warned.path, { expiresAt: '2090-01-01T00:00:00Z' });
    await deployment.write('POST', `${ended.path}/rotate`, { retire: '24h' });
    await deployment.write('PUT', `/operator/organisations/${kept.organisation}/members/former@example.com`);
    // These changes are in the minute before the instant, and in the copy: the script must not repeat them.
    await deployment.write('PATCH', early.path, { active: false });
    await deployment.write('PATCH', early.path, { active: true });
    await deployment.write('DELETE', `/operator/organisations/${reborn.organisation}`);
    await deployment.write('PUT', `/operator/organisations/${reborn.organisation}`, {
      name: 'Reborn',
      plan: 'trial',
    });
    const copy = await copyOfDatabase('copy.sql');
    const since = new Date().toISOString();

    await deployment.write('PATCH', paused.path, { active: false });
    await deployment.write('DELETE', deleted.path);
    await deployment.write('POST', `${replaced.path}/rotate`, { retire: 'now' });
    await deployment.write('PATCH', limited.path, {
      access: 'read',
      paths: ['/v1/a', '/v1/b'],
      networks: ['203.0.113.0/24', '2001:db8::/32'],
      origins: ['https://shop.example'],
      expiresAt: '2090-01-01T00:00:00Z',
    });
    await deployment.write('PATCH', widened.path, { networks: ['203.0.113.0/24', '198.51.100.66/32'] });
    await deployment.write('PATCH', widened.path, { expiresAt: '2090-01-01T00:00:00Z' });
    await deployment.write('PATCH', widened.path, { expiresAt: null });
    await deployment.write('POST', `${ended.path}/retire`, {});
    await deployment.write('POST', together.path.replace(/\/[^/]+$/, '/pause'));
    await deployment.write('POST', `/operator/organisations/${stopped.organisation}/pause`);
    await deployment.write('POST', '/report', { tokens: [leaked.secret], url: 'https://paste.example/1' });
    // The first warning is given.
    const db = await deployment.miniflare.getD1Database('DB', ZONE);
    await db
      .prepare(
        `INSERT INTO events (at, organisation_id, actor, action, token_id, request_id, detail)
         SELECT due_at, ?, 'system', 'token.expiring', token_id, 'run', '30' FROM expiry_warnings WHERE token_id = ? AND days = 30`,
      )
      .bind(warned.organisation, warned.id)
      .run();
    await db
      .prepare("UPDATE expiry_warnings SET given_by = 'run' WHERE token_id = ? AND days = 30")
      .bind(warned.id)
      .run();
    await deployment.write('PATCH', resumed.path, { active: false });
    await deployment.write('PATCH', resumed.path, { active: true });
    await deployment.write('PUT', `/operator/organisations/${lapsed.organisation}`, {
      name: "O'Neil; --",
      plan: 'pro',
    });
    await deployment.write('DELETE', `/operator/organisations/${gone.organisation}`);
    await deployment.write(
      'DELETE',
      `/operator/organisations/${kept.organisation}/members/former@example.com`,
    );
    await deployment.write('POST', kept.path.replace(/\/[^/]+$/, ''), { name: 'New since' });

    // The request of this event began before the instant, and was over after it.
    const began = new Date(Date.parse(since) - 30_000).toISOString();
    const isSlow = (event: Row) => event['token_id'] === paused.id && event['action'] === 'token.deactivated';
    const now = await copyOfDatabase('live.sql', (event) =>
      isSlow(event) ? { ...event, at: began } : event,
    );
    await d1(live, '--yes', '--file', now);
    expect(
      await restore('fetch', '--since', since, '--events', file, '--local', '--persist-to', live),
    ).toMatch(/^\d+ events since a minute before/);
    await d1(restored, '--yes', '--file', copy);
    const ask = async (query: string): Promise<Record<string, unknown>[]> => {
      const output = await d1(restored, '--json', '--command', query);
      // The shape is wrangler's own.
      const [answer] = JSON.parse(output.slice(output.indexOf('['))) as {
        results: Record<string, unknown>[];
      }[];
      return answer?.results ?? [];
    };
    const STATE = `SELECT (SELECT count(*) FROM sessions) AS sessions,
      (SELECT active FROM tokens WHERE id = '${paused.id}') AS paused,
      (SELECT count(*) FROM tokens WHERE id = '${deleted.id}') AS deleted,
      (SELECT active FROM tokens WHERE id = '${resumed.id}') AS resumed,
      (SELECT active FROM tokens WHERE id = '${kept.id}') AS kept,
      (SELECT active FROM tokens WHERE id = '${replaced.id}') AS replaced,
      (SELECT active FROM tokens WHERE id = '${ended.id}') AS ended,
      (SELECT count(*) FROM replaced_secrets WHERE token_id = '${ended.id}' AND retired_at IS NULL) AS retiring,
      (SELECT access || paths || networks || origins || coalesce(expires_at, '') FROM tokens WHERE id = '${limited.id}') AS limited,
      (SELECT networks || coalesce(expires_at, '') FROM tokens WHERE id = '${widened.id}') AS widened,
      (SELECT group_concat(days) FROM expiry_warnings WHERE token_id = '${warned.id}' AND given_by IS NULL) AS warnings,
      (SELECT plan FROM organisations WHERE id = '${lapsed.organisation}') AS lapsed,
      (SELECT paused_at IS NOT NULL FROM organisations WHERE id = '${stopped.organisation}') AS stopped,
      (SELECT active || coalesce(paused_together_by, '') FROM tokens WHERE id = '${together.id}') AS together,
      (SELECT active || coalesce(exposed_by || exposed_where || exposed_paused, '') FROM tokens WHERE id = '${leaked.id}') AS leaked,
      (SELECT count(*) FROM tokens WHERE id = '${gone.id}') AS gone,
      (SELECT count(*) FROM members WHERE email = 'former@example.com') AS former,
      (SELECT count(*) FROM organisations WHERE id = '${reborn.organisation}') AS reborn,
      (SELECT active FROM tokens WHERE id = '${early.id}') AS early,
      (SELECT max(id) FROM events) AS events,
      (SELECT event_id = (SELECT max(id) FROM events) FROM mail_progress) AS mailed,
      (SELECT max(seq) FROM changes) AS head`;
    const [before] = await ask(STATE);
    expect(before).toMatchObject({
      sessions: 1,
      paused: 1,
      deleted: 1,
      lapsed: 'enterprise',
      stopped: 0,
      together: '1',
      leaked: '1',
      gone: 1,
      former: 1,
      replaced: 1,
      retiring: 1,
      limited: 'full[][][]',
    });

    const plan = await restore('plan', '--events', file);
    expect(plan).toContain('nothing was changed');
    expect(plan).toContain('End every session');
    expect(plan).toMatch(new RegExp(`Deactivate the token \\w+ of ${paused.organisation}\\.`));
    expect(plan).toMatch(new RegExp(`End the value \\w+ of ${ended.organisation}\\.`));
    expect(plan).toMatch(new RegExp(`The value of the token \\w+ of ${replaced.organisation} was replaced`));
    expect(plan).toMatch(
      new RegExp(`Narrow the token \\w+ of ${limited.organisation} \\(read only; /v1/a, /v1/b\\)`),
    );
    expect(plan).toMatch(
      new RegExp(
        `Limit the token \\w+ of ${limited.organisation} to the websites https://shop.example, unless that adds one`,
      ),
    );
    expect(plan).toMatch(
      new RegExp(
        `The token \\w+ of ${widened.organisation} was limited otherwise \\(token.networks-changed: 198`,
      ),
    );
    expect(plan).toMatch(new RegExp(`Delete the token \\w+ of ${deleted.organisation}\\.`));
    expect(plan).toContain(`Take the Enterprise plan from ${lapsed.organisation} (pro).`);
    expect(plan).toContain(`Delete the organisation ${gone.organisation}.`);
    expect(plan).toContain(`Remove former@example.com from ${kept.organisation}.`);
    expect(plan).toMatch(new RegExp(`The token \\w+ of ${kept.organisation} was created. It is gone`));
    expect(plan).toMatch(new RegExp(`The token \\w+ of ${resumed.organisation} was activated`));
    expect(await ask(STATE)).toEqual([before]);

    for (let repeat = 0; repeat < 2; repeat++) {
      await restore('apply', '--events', file, '--local', '--persist-to', restored);
    }
    const [after] = await ask(STATE);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    // All of this test is younger than a minute.
    const isNew = (line: string) =>
      Number((JSON.parse(line) as { id: string }).id) > Number(before?.['events']);
    const recorded = lines.filter(isNew).length;
    expect(lines.length).toBeGreaterThan(recorded);
    expect(after).toEqual({
      sessions: 0,
      paused: 0,
      deleted: 0,
      resumed: 1,
      kept: 1,
      // Its value ended since, and the one that took its place is gone.
      replaced: 0,
      ended: 1,
      retiring: 0,
      limited:
        'read["/v1/a","/v1/b"]["2001:db8::/32","203.0.113.0/24"]["https://shop.example"]2090-01-01T00:00:00.000Z',
      widened: '["203.0.113.0/24"]',
      warnings: '1,7',
      lapsed: 'pro',
      stopped: 1,
      together: '0owner@example.com',
      leaked: '0reporthttps://paste.example/11',
      gone: 0,
      former: 0,
      reborn: 1,
      early: 1,
      events: Number(before?.['events']) + recorded,
      mailed: 1,
      // A change for each repeated change of a token, so that every isolate learns of it.
      head: Number(before?.['head']) + 13,
    });
    // A webhook sends the events of the file again, under the ids that their receiver has.
    const again = await ask(eventsQuery(new Date(since), String(before?.['events']), recorded + 1));
    const idsOf = (events: OperatorEvent[]) => events.map((event) => messageOf(event).id).toSorted();
    const sent = lines.filter(isNew).map((line) => JSON.parse(line) as OperatorEvent);
    // The shape of the query.
    expect(idsOf(again as OperatorEvent[])).toEqual(idsOf(sent));
    expect(new Set(idsOf(sent)).size).toBe(recorded);
    expect(await ask("SELECT count(*) AS n FROM events WHERE detail = 'O''Neil; --'")).toEqual([{ n: 1 }]);
  },
  MINUTES_10,
);
