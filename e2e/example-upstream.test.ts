// The example programs of the documentation: an API behind the Developer Zone, and a receiver of the webhook.
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChild, type Child } from './child.ts';
import { ZONE, startDeployment } from './deployment.ts';
import { call } from './raw.ts';

const example = resolve(import.meta.dirname, '../docs/example-upstream/server.mjs');
const UPSTREAM_SECRET = 'an-edge-secret-of-this-test-alone';
const WRONG = ['', 'a', UPSTREAM_SECRET.slice(0, -1), `${UPSTREAM_SECRET}x`, UPSTREAM_SECRET.toUpperCase()];

describe('the example upstream', () => {
  let child: Child;
  let origin: string;
  beforeEach(async () => {
    // Prints the lengths, in bytes, of the values that the program compares in constant time.
    const spy = `import crypto from 'node:crypto'; import { syncBuiltinESMExports } from 'node:module';
    const compare = crypto.timingSafeEqual;
    crypto.timingSafeEqual = (a, b) => { console.log('compared', a.length, b.length); return compare(a, b); };
    syncBuiltinESMExports();`;
    const preload = `data:text/javascript,${encodeURIComponent(spy)}`;
    child = await startChild(process.execPath, ['--import', preload, example], /listens on http:\S+/, {
      env: { PORT: '0', UPSTREAM_SECRET },
    });
    origin = /http:\S+/.exec(child.output())?.[0] ?? '';
  });
  afterEach(() => child?.stop());

  it('answers only the edge', async () => {
    const statusFor = async (headers: Record<string, string>) =>
      (await call(`${origin}/v1/x`, { headers })).status;
    expect(await statusFor({ 'x-edge-secret': UPSTREAM_SECRET })).toBe(200);
    expect(await statusFor({})).toBe(403);
    for (const wrong of WRONG)
      expect([wrong, await statusFor({ 'x-edge-secret': wrong })]).toEqual([wrong, 403]);
  });

  it('compares every secret in constant time, whatever its length', async () => {
    for (const secret of [UPSTREAM_SECRET, ...WRONG])
      await call(`${origin}/v1/x`, { headers: { 'x-edge-secret': secret } });
    // The output comes through a pipe, possibly after the answers.
    const compared = () => child.output().match(/^compared .*$/gm);
    await expect.poll(compared).toEqual(Array<string>(WRONG.length + 1).fill('compared 32 32'));
  });
});

describe('the example receiver', () => {
  it('takes every event of a real deployment once, and no message that others made', async () => {
    const WEBHOOK_SECRET = `whsec_${btoa('a key of this test that has 32 b')}`;
    const program = resolve(import.meta.dirname, '../docs/example-receiver/server.mjs');
    const receiver = await startChild(process.execPath, [program], /listens on http:\S+/, {
      env: { PORT: '0', WEBHOOK_SECRET },
    });
    const url = /http:\S+/.exec(receiver.output())?.[0] ?? '';
    const zone = await startDeployment({ WEBHOOK_URL: `${url}/hook`, WEBHOOK_SECRET });
    try {
      const taken = () =>
        (receiver.output().match(/^\{.*$/gm) ?? []).map(
          (line) => JSON.parse(line) as { id: string; type: string; organisation: string | null },
        );
      const standing = () => zone.write('GET', '/operator/webhook');
      expect(await zone.write('POST', '/operator/webhook/test')).toEqual({ isDelivered: true, reason: null });
      const { organisation, path } = await zone.givenToken();
      await zone.write('DELETE', path);
      // The last of them may have come while an earlier push ran: the run of the minute sends it.
      const worker = await zone.miniflare.getWorker(ZONE);
      await expect
        .poll(
          async () => {
            await worker.scheduled({ cron: '* * * * *', scheduledTime: new Date() });
            return taken()
              .filter((event) => event.organisation === organisation)
              .map(({ type }) => type);
          },
          { timeout: 20_000, interval: 500 },
        )
        .toEqual(['organisation.created', 'member.added', 'token.created', 'token.deleted']);
      expect(await standing()).toMatchObject({ state: 'running', lag: { events: 0 } });
      // From the first event on, again: each is taken once.
      await zone.write('PATCH', '/operator/webhook', { cursor: '0' });
      await expect.poll(standing, { timeout: 20_000 }).toMatchObject({ lag: { events: 0 } });
      const ids = taken().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect((await call(`${url}/hook`, { method: 'POST', body: '{"type":"token.deleted"}' })).status).toBe(
        401,
      );
    } finally {
      await zone.stop();
      await receiver.stop();
    }
  });
});
