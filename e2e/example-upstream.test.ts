// The example of an API behind the Developer Zone, from the documentation: how it recognises the edge.
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startChild, type Child } from './child.ts';
import { call } from './raw.ts';

const example = resolve(import.meta.dirname, '../docs/example-upstream/server.mjs');
const UPSTREAM_SECRET = 'an-edge-secret-of-this-test-alone';
const WRONG = ['', 'a', UPSTREAM_SECRET.slice(0, -1), `${UPSTREAM_SECRET}x`, UPSTREAM_SECRET.toUpperCase()];

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
