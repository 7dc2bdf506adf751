// The files that `npm run dev` leaves on the disk: no file holds a secret, cookie or code, and only
// the database, the cache and the hubs hold the hash of a token.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer } from './server.ts';

const state = mkdtempSync(join(tmpdir(), 'developer-zone-'));
afterAll(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));

/** Values that a browser or a caller held during the run. */
let statuses: number[];
let held: { secret: string; code: string; cookies: string[] };

/** What `Set-Cookie` gives: `name=value`. */
const cookiesOf = (answer: Response): string[] =>
  answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');

beforeAll(async () => {
  const server = await startServer({ state });
  const { origin } = server;
  const post = (path: string, body: object, cookie = ''): Promise<Response> =>
    fetch(origin + path, {
      method: 'POST',
      headers: { origin, cookie, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const asked = await post('/api/sign-in/link', { email: 'owner@example.com' });
  const { link } = (await asked.json()) as { link: string };
  const code = link.split('#code=')[1] ?? '';
  const browser = cookiesOf(asked);
  const redeemed = await post('/api/sign-in/redeem', { code }, browser.join('; '));
  const session = cookiesOf(redeemed);
  const created = await post('/api/organisations/acme/tokens', {}, session.join('; '));
  const { secret } = (await created.json()) as { secret: string };
  const calls = [
    await fetch(`${origin}/v1/ping`, { headers: { authorization: `Bearer ${secret}` } }),
    await fetch(`${origin}/verify?token=${secret}`, { headers: { 'x-api-key': secret } }),
    // Last: a token in a URL of /v1 is paused.
    await fetch(`${origin}/v1/ping?token=${secret}`),
  ];
  await server.stop();
  statuses = calls.map(({ status }) => status);
  const values = [...browser, ...session].map((cookie) => cookie.split('=')[1] ?? '');
  held = { secret, code, cookies: values.filter((value) => value !== '') };
});

/** The files, below the state folder, that hold the text. */
function filesWith(text: string): string[] {
  return readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(
    (file) => statSync(join(state, file)).isFile() && readFileSync(join(state, file)).includes(text),
  );
}

it('no file holds the secret of a token, a session cookie or the code of a sign-in', () => {
  expect(statuses).toEqual([200, 200, 401]);
  expect(held.cookies.length).toBeGreaterThan(1);
  for (const value of [held.secret, held.code, ...held.cookies]) {
    expect(value.length).toBeGreaterThan(40);
    expect(filesWith(value)).toEqual([]);
  }
});

it('only the database, the cache and the hubs hold the hash of a token; traces do not', () => {
  const hash = createHash('sha256').update(held.secret).digest('hex');
  const files = filesWith(hash);
  expect(files.some((file) => file.startsWith('v3/d1/'))).toBe(true);
  expect(files.filter((file) => !/^v3\/(?:d1|kv|do)\//.test(file))).toEqual([]);
});
