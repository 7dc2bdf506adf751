// A database belongs to one deployment. Each test takes a hub of its own region, which has read nothing yet.
import { createExecutionContext, createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../deployment/env.ts';
import worker from '../index.ts';
import { ORIGIN, bearer, callAt, givenOrganisation, givenSession, givenToken } from '../test/harness.ts';
import { FOREIGN_FAULT, deploymentIdOf } from './ownership.ts';

const OWN = deploymentIdOf(env.CHANGE_HUB);
const IN = {
  oc: { continent: 'OC' },
  afr: { continent: 'AF' },
} as const;

let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});
afterEach(() => vi.restoreAllMocks());
const faults = () => printed.map((line) => JSON.parse(line)).filter(({ event }) => event === 'misconfigured');

const owner = () => env.DB.prepare('SELECT hubs FROM deployment').first<string>('hubs');
const belongsTo = (id: string) =>
  env.DB.prepare('INSERT OR REPLACE INTO deployment (id, hubs) VALUES (1, ?)').bind(id).run();

/** An isolate of its own. */
const isolate = (): Env => ({ ...env, HUB_LEASE_MS: '10000' });

const ping = (deployment: Env, secret: string, region: keyof typeof IN) =>
  callAt(deployment, '/v1/ping', { headers: bearer(secret), cf: IN[region] });

async function fault(answer: Response): Promise<unknown> {
  return [answer.status, (await answer.json<{ detail?: string }>()).detail];
}

describe('a database', () => {
  it('without an owner belongs to the deployment whose hub reads it first, and is served', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    expect(await owner()).toBeNull();
    expect((await ping(isolate(), secret, 'oc')).status).toBe(200);
    expect(await owner()).toBe(OWN);
    expect((await ping(isolate(), secret, 'oc')).status).toBe(200);
    expect(faults()).toEqual([]);
  });

  it('of another deployment is refused by the hub and by every isolate that asks it, with a fault that names the cause', async () => {
    const { secret } = await givenToken(await givenOrganisation());
    await belongsTo('another');
    const first = isolate();
    const answers = [await ping(first, secret, 'afr'), await ping(first, secret, 'afr')];
    // The call that finds out is not accepted either.
    expect(answers.map(({ status }) => status)).toEqual([503, 500]);
    expect(await fault(await callAt(first, '/api/session', {}))).toEqual([500, FOREIGN_FAULT]);
    expect((await ping(isolate(), secret, 'afr')).status).toBe(503);
    // The hub says it once, and each isolate.
    expect(faults()).toEqual([
      { level: 'error', event: 'misconfigured', detail: FOREIGN_FAULT },
      { level: 'error', event: 'misconfigured', detail: FOREIGN_FAULT },
    ]);
    expect(await owner()).toBe('another');
    expect(printed.join('\n')).not.toContain(secret);
  });

  it('of another deployment never gets a receipt for a change', async () => {
    const organisation = await givenOrganisation();
    const { id } = await givenToken(organisation);
    await belongsTo('another');
    const headers = { ...(await givenSession()), origin: ORIGIN, 'content-type': 'application/json' };
    const writer = isolate();
    const path = `/api/organisations/${organisation}/tokens/${id}`;
    const change = () => callAt(writer, path, { method: 'PATCH', headers, body: '{"active":false}' });
    expect(await fault(await change())).toEqual([500, FOREIGN_FAULT]);
    // From then on before anything is written.
    const prepare = vi.spyOn(env.DB, 'prepare');
    expect(await fault(await change())).toEqual([500, FOREIGN_FAULT]);
    expect(prepare).not.toHaveBeenCalled();
  });

  it('of another deployment is not pruned by the settings of this one', async () => {
    await env.DB.prepare('INSERT INTO sign_ins (hash, browser_hash, expires_at) VALUES (?, ?, 1)')
      .bind('a'.repeat(64), 'b')
      .run();
    const prune = () =>
      worker.scheduled(
        createScheduledController({ scheduledTime: new Date() }),
        env,
        createExecutionContext(),
      );
    await belongsTo('another');
    await expect(prune()).rejects.toThrow('another deployment');
    expect(printed.map((line) => JSON.parse(line))).toContainEqual({
      level: 'error',
      event: 'prune-failed',
      detail: FOREIGN_FAULT,
    });
    expect(await env.DB.prepare('SELECT count(*) AS n FROM sign_ins').first('n')).toBe(1);
    await belongsTo(OWN);
    await prune();
    expect(await env.DB.prepare('SELECT count(*) AS n FROM sign_ins').first('n')).toBe(0);
  });
});
